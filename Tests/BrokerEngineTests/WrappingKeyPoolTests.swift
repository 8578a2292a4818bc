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

@Suite("Wrapping keys made ahead of time", .timeLimit(.minutes(5)))
struct WrappingKeyPoolTests {
    private func pool(capacity: Int, bits: Int = 2048) -> WrappingKeyPool {
        WrappingKeyPool(keyBits: bits, capacity: capacity, logger: RecordedLog().logger())
    }

    @Test("the pool fills to its capacity and stops")
    func fills() async throws {
        let pool = pool(capacity: 3)
        defer { pool.shutdown() }
        #expect(pool.count == 0)
        for _ in 0..<5 { pool.fill() }
        try await eventually { !pool.isFilling }
        #expect(pool.count == 3)
        pool.fill()
        #expect(!pool.isFilling)
        #expect(pool.count == 3)
    }

    @Test("taking a key makes room for a new one, which comes by itself")
    func refills() async throws {
        let pool = pool(capacity: 2)
        defer { pool.shutdown() }
        pool.fill()
        try await eventually { !pool.isFilling }
        for _ in 0..<2 {
            let key = try await pool.take()
            #expect(key.bits == 2048)
            try await eventually { !pool.isFilling }
            #expect(pool.count == 2)
        }
    }

    @Test("while keys are taken one after the other, new ones are made only when few are left")
    func releasesComeFirst() async throws {
        let pool = WrappingKeyPool(
            keyBits: 2048, capacity: 8, quietTime: .seconds(3600), logger: RecordedLog().logger())
        defer { pool.shutdown() }
        pool.fill()
        try await eventually { !pool.isFilling }
        for left in [7, 6, 5, 4, 3, 2] {
            _ = try await pool.take()
            #expect(pool.count == left)
        }
        // One less than few: one is made, and then it is quiet again for an hour.
        let last = try await pool.take()
        #expect(last.bits == 2048)
        try await eventually { pool.count == 2 }
        #expect(pool.isFilling)
    }

    @Test("every key is given out once, whoever asks at the same time")
    func singleUse() async throws {
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

    @Test("with no capacity nothing is made ahead, and a key is made when it is wanted", arguments: [0, -1])
    func noCapacity(capacity: Int) async throws {
        let pool = pool(capacity: capacity)
        pool.fill()
        #expect(!pool.isFilling)
        let first = try await pool.take()
        #expect(!pool.isFilling && pool.count == 0)
        let second = try await pool.take()
        #expect(first.publicNumbers != second.publicNumbers)
    }

    @Test("keys have the configured length", arguments: [2048, 3072])
    func length(bits: Int) async throws {
        let key = try await pool(capacity: 0, bits: bits).take()
        #expect(key.bits == bits && key.publicNumbers.n.count == bits / 8)
    }

    @Test("a length that is not made is an error for the caller and the end of the filling")
    func impossibleLength() async throws {
        let log = RecordedLog()
        let pool = WrappingKeyPool(keyBits: 17, capacity: 2, logger: log.logger())
        defer { pool.shutdown() }
        let error = await #expect(throws: BrokerError.self) { _ = try await pool.take().bits }
        #expect(error?.outcome == "internal at release")
        try await eventually { !pool.isFilling }
        #expect(pool.count == 0)
        #expect(log.lines.contains { $0.hasPrefix("error a wrapping key could not be made ahead of time") })
    }

    @Test("who stops waiting gets no key and leaves the next one to the others", arguments: [true, false])
    func leaving(isLate: Bool) async throws {
        let pool = WrappingKeyPool(
            keyBits: 3072, capacity: 0, threadLimit: 1, logger: RecordedLog().logger())
        let first = Task { try await pool.take().bits }
        try await eventually { pool.waitingCount == 1 }
        let second = Task { try await pool.take(for: isLate ? .zero : .seconds(600)).bits }
        let third = Task { try await pool.take().bits }
        if !isLate {
            try await eventually { pool.waitingCount != 1 }
            second.cancel()
        }
        let left = await second.result
        let error = #expect(throws: BrokerError.self) { try left.get() }
        #expect(error?.outcome == "deadlineExceeded at release")
        #expect(try await first.value == 3072)
        #expect(try await third.value == 3072)
        try await eventually { !pool.isBusy }
        #expect(pool.waitingCount == 0)
    }

    @Test("the thread that makes keys ahead of time serves who waits")
    func aheadForWaiting() async throws {
        // No other thread makes keys.
        let pool = WrappingKeyPool(capacity: 1, threadLimit: 0, logger: RecordedLog().logger())
        defer { pool.shutdown() }
        for _ in 0..<3 { #expect(try await pool.take().bits == 2048) }
    }

    /// A search of two threads for one key, told step by step: the first to come finds the key, the second would go on.
    private final class Search: Sendable {
        struct State {
            var begun = 0
            /// How nice the second one's thread was after each of its pauses.
            var niceness: [Int32] = []
            var mustEnd = false
        }
        let state = Mutex(State())

        func contribute(_ pause: @Sendable () -> Void) throws(CryptoError) -> WrappingKey? {
            let number = state.withLock { state in
                state.begun += 1
                return state.begun
            }
            if number == 2 {
                while !state.withLock({ $0.mustEnd }) {
                    pause()
                    state.withLock { $0.niceness.append(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)) }
                }
            } else {
                while state.withLock({ $0.niceness.isEmpty }) { pause() }
            }
            return try WrappingKey(generatingBits: 2048)
        }

        func pool(quietTime: Duration) -> WrappingKeyPool {
            WrappingKeyPool(
                keyBits: 2048, capacity: 0, quietTime: quietTime, threadLimit: 2, logger: RecordedLog().logger(),
                discardPrimes: {}
            ) { _, pause throws(CryptoError) in try self.contribute(pause) }
        }
    }

    /// What the threads of this process begin with.
    private let own = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)

    @Test("a thread whose key is not needed any more rests, and goes on as soon as the next release needs one")
    func resting() async throws {
        let search = Search()
        let pool = search.pool(quietTime: .seconds(3600))
        #expect(try await pool.take().bits == 2048)
        try await eventually { pool.restingCount == 1 && !pool.isBusy }
        search.state.withLock { $0.mustEnd = true }
        let last = search.state.withLock { $0.niceness.count }
        // Only two threads may make keys, and both are wanted: one is new.
        #expect(try await pool.take().bits == 2048)
        try await eventually { search.state.withLock { $0.niceness.count } > last }
        #expect(search.state.withLock { Set($0.niceness) } == [own])
        #expect(search.state.withLock { $0.begun } == 3)
        pool.shutdown()
    }

    @Test("a thread that nobody needed for a while, or at the end, goes on and stands back", arguments: [true, false])
    func standingBack(isShutDown: Bool) async throws {
        let search = Search()
        let pool = search.pool(quietTime: isShutDown ? .seconds(3600) : .milliseconds(1))
        defer { search.state.withLock { $0.mustEnd = true } }
        #expect(try await pool.take().bits == 2048)
        if isShutDown {
            try await eventually { pool.restingCount == 1 }
            pool.shutdown()
        }
        try await eventually { search.state.withLock { $0.niceness.last } ?? own > own }
        try await eventually { pool.restingCount == 0 && !pool.isBusy }
        #expect(search.state.withLock { $0.niceness.first } == own)
    }

    @Test("shutting down takes the waiting keys away and makes no more")
    func shutdown() async throws {
        let pool = pool(capacity: 2)
        pool.fill()
        try await eventually { !pool.isFilling }
        #expect(pool.count == 2)
        pool.shutdown()
        #expect(pool.count == 0)
        pool.fill()
        #expect(!pool.isFilling)
        // A request that is still under way gets its key.
        let key = try await pool.take()
        #expect(key.bits == 2048)
        #expect(!pool.isFilling && pool.count == 0)
    }

    @Test("shutting down while keys are being made leaves none behind")
    func shutdownWhileFilling() async throws {
        let pool = pool(capacity: 100)
        pool.fill()
        try await eventually { pool.count > 0 }
        #expect(pool.isFilling)
        pool.shutdown()
        try await eventually { !pool.isFilling }
        #expect(pool.count == 0)
    }

    @Test("taking from an empty pool leaves the threads of other tasks alone")
    func doesNotBlock() async throws {
        // More takes than there are threads for tasks: if each held one, this task could not see all of them wait at once.
        let takers = 2 * max(1, min(64, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let haveSeen = DispatchSemaphore(value: 0)
        let isTooLate = Atomic(false)
        let pool = WrappingKeyPool(
            keyBits: 2048, capacity: 0, quietTime: .zero, threadLimit: 2, logger: RecordedLog().logger(),
            discardPrimes: {}
        ) { _, _ throws(CryptoError) in
            // No key before that, unless the test is about to fail: a thread that is held for good would hang it.
            if haveSeen.wait(timeout: .now() + .seconds(60)) == .timedOut { isTooLate.store(true, ordering: .relaxed) }
            haveSeen.signal()
            return try WrappingKey(generatingBits: 2048)
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
    fileprivate func take(for time: Duration = .seconds(600)) async throws(BrokerError) -> WrappingKey {
        let context = RequestContext(id: "test", deadline: .after(time), logger: RecordedLog().logger())
        return try await take(in: context).whole(in: context)
    }
}
