import Waiting
import BrokerCore
import BrokerTestKit
import Dispatch
import Glibc
import HTTPTransport
import Logging
import OpenSSLCrypto
import Synchronization
import Testing

@testable import BrokerEngine

@Suite("Wrapping keys made ahead of time", .timeLimit(.minutes(5))) struct WrappingKeyPoolTests {
    private func pool(capacity: Int, bits: Int = 2048) -> WrappingKeyPool {
        WrappingKeyPool(keyBits: bits, capacity: capacity, logger: RecordedLog().logger())
    }

    @Test("the pool fills to its capacity and stops") func fills() async throws {
        let pool = pool(capacity: 3)
        defer { pool.shutdown() }
        #expect(pool.count == 0)
        for _ in 0..<5 { pool.fill() }
        try await eventually { !pool.isBusy }
        #expect(pool.count == 3)
        pool.fill()
        #expect(!pool.isBusy)
        #expect(pool.count == 3)
    }

    @Test("taking a key makes room for a new one, which comes by itself") func refills() async throws {
        let pool = pool(capacity: 2)
        defer { pool.shutdown() }
        pool.fill()
        try await eventually { !pool.isBusy }
        for _ in 0..<2 {
            let key = try await pool.take()
            #expect(key.bits == 2048)
            try await eventually { !pool.isBusy }
            #expect(pool.count == 2)
        }
    }

    @Test("every key is given out once, whoever asks at the same time") func singleUse() async throws {
        let pool = pool(capacity: 3)
        defer { pool.shutdown() }
        pool.fill()
        let moduli = try await withThrowingTaskGroup(of: [[UInt8]].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var moduli: [[UInt8]] = []
                    for _ in 0..<5 {
                        moduli.append(try await pool.take().publicNumbers.n)
                        #expect(pool.count <= 3)
                    }
                    return moduli
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(moduli.count == 20)
        #expect(Set(moduli).count == 20)
    }

    @Test("with no capacity nothing is made ahead, and a key is made when it is wanted", arguments: [0, -1]) func noCapacity(capacity: Int)
        async throws
    {
        let pool = pool(capacity: capacity)
        pool.fill()
        #expect(!pool.isBusy)
        let first = try await pool.take()
        try await eventually { !pool.isBusy }
        #expect(pool.count == 0)
        let second = try await pool.take()
        #expect(first.publicNumbers != second.publicNumbers)
    }

    @Test("keys have the configured length", arguments: [2048, 3072]) func length(bits: Int) async throws {
        let key = try await pool(capacity: 0, bits: bits).take()
        #expect(key.bits == bits && key.publicNumbers.n.count == bits / 8)
    }

    @Test("a length that is not made is an error for the caller and the end of the filling") func impossibleLength() async throws {
        let log = RecordedLog()
        let pool = WrappingKeyPool(keyBits: 17, capacity: 2, logger: log.logger())
        defer { pool.shutdown() }
        let error = await #expect(throws: BrokerError.self) { _ = try await pool.take().bits }
        #expect(error?.outcome == "internal at release")
        try await eventually { !pool.isBusy }
        #expect(pool.count == 0)
        #expect(log.lines.contains { $0.hasPrefix("error a wrapping key could not be made") })
    }

    @Test("who stops waiting gets no key and leaves the next one to the others", arguments: [true, false]) func leaving(isLate: Bool)
        async throws
    {
        // No key is made before all three have come and one has left, so that nothing depends on how fast a key is found.
        let mayMake = DispatchSemaphore(value: 0)
        let pool = WrappingKeyPool(keyBits: 3072, capacity: 0, logger: RecordedLog().logger()) { () throws(CryptoError) in
            mayMake.wait()
            return try WrappingKey.generate(bits: 3072)
        }
        let first = Task { try await pool.take().bits }
        try await eventually { pool.waitingCount == 1 }
        let second = Task { try await pool.take(for: isLate ? .zero : .seconds(600)).bits }
        let third = Task { try await pool.take().bits }
        if !isLate {
            try await eventually { pool.waitingCount == 3 }
            second.cancel()
        }
        let left = await second.result
        let error = #expect(throws: BrokerError.self) { try left.get() }
        #expect(error?.outcome == "deadlineExceeded at release")
        for _ in 0..<2 { mayMake.signal() }
        #expect(try await first.value == 3072)
        #expect(try await third.value == 3072)
        try await eventually { !pool.isBusy }
        #expect(pool.waitingCount == 0)
    }

    /// Fails as often as said, then makes keys.
    private func failing(_ times: Int) -> WrappingKeyPool {
        let failures = Mutex(times)
        return WrappingKeyPool(keyBits: 2048, capacity: 0, logger: RecordedLog().logger()) { () throws(CryptoError) in
            let isFailing = failures.withLock { left in
                left -= 1
                return left >= 0
            }
            guard !isFailing else { throw CryptoError(operation: "making a key", reason: "the test says so") }
            return try WrappingKey.generate(bits: 2048)
        }
    }

    @Test("a failed generation is tried again and fails nobody who waits") func failsOnce() async throws {
        #expect(try await failing(1).take().bits == 2048)
    }

    @Test("two failed generations in a row fail who waits, and the next one may succeed") func failsTwice() async throws {
        let pool = failing(2)
        let error = await #expect(throws: BrokerError.self) { _ = try await pool.take().bits }
        #expect(error?.outcome == "internal at release")
        #expect(try await pool.take().bits == 2048)
    }

    @Test("shutting down takes the waiting keys away and makes no more") func shutdown() async throws {
        let pool = pool(capacity: 2)
        pool.fill()
        try await eventually { !pool.isBusy }
        #expect(pool.count == 2)
        pool.shutdown()
        #expect(pool.count == 0)
        pool.fill()
        #expect(!pool.isBusy)
        // A request that is still under way gets its key.
        let key = try await pool.take()
        #expect(key.bits == 2048)
        try await eventually { !pool.isBusy }
        #expect(pool.count == 0)
    }

    @Test("shutting down while keys are being made leaves none behind") func shutdownWhileFilling() async throws {
        let pool = pool(capacity: 100)
        pool.fill()
        try await eventually { pool.count > 0 }
        #expect(pool.isBusy)
        pool.shutdown()
        try await eventually { !pool.isBusy }
        #expect(pool.count == 0)
    }

    @Test("taking from an empty pool leaves the threads of other tasks alone") func doesNotBlock() async throws {
        // More takes than there are threads for tasks: if each held one, this task could not see all of them wait at once.
        let takers = 2 * max(1, min(64, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let haveSeen = DispatchSemaphore(value: 0)
        let isTooLate = Atomic(false)
        let pool = WrappingKeyPool(keyBits: 2048, capacity: 0, logger: RecordedLog().logger()) { () throws(CryptoError) in
            // No key before that, unless the test is about to fail: a thread that is held for good would hang it.
            if haveSeen.wait(timeout: .now() + .seconds(60)) == .timedOut { isTooLate.store(true, ordering: .relaxed) }
            haveSeen.signal()
            return try WrappingKey.generate(bits: 2048)
        }
        defer { pool.shutdown() }
        let bits = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<takers { group.addTask { try await pool.take().bits } }
            try await eventually { pool.waitingCount == takers || isTooLate.load(ordering: .relaxed) }
            haveSeen.signal()
            return try await group.reduce(0, +)
        }
        let wasTooLate = isTooLate.load(ordering: .relaxed)
        #expect(!wasTooLate, "a key was wanted and the threads of tasks were held for it")
        #expect(bits == takers * 2048)
    }
}

extension WrappingKeyPool {
    fileprivate func take(for time: Duration) async throws(BrokerError) -> WrappingKey {
        try await withDeadline(.after(time)) { () async throws(BrokerError) in try await self.take() }
    }
}
