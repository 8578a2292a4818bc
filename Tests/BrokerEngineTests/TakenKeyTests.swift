import BrokerCore
import BrokerTestKit
import HTTPTransport
import OpenSSLCrypto
import SecureMemory
import Synchronization
import Testing

@testable import BrokerEngine

/// Where keys are announced, and come when a test lets them.
private final class Bench: Sendable {
    enum End: Sendable {
        case honest, fails, another
    }

    struct State {
        var end: End = .honest
        var mayFinish = false
        var announced: [RSAPublicNumbers] = []
        var pausesAfter = 0
    }

    let state: Mutex<State>

    init(_ end: End = .honest, mayFinish: Bool = false) { state = Mutex(State(end: end, mayFinish: mayFinish)) }

    var announced: [RSAPublicNumbers] { state.withLock { $0.announced } }
    func letFinish() { state.withLock { $0.mayFinish = true } }

    func contribute(
        _ announce: (RSAPublicNumbers) -> Void, _ pause: @Sendable () -> Void
    ) throws(CryptoError) -> WrappingKey? {
        let key = try WrappingKey(generatingBits: 2048)
        state.withLock { $0.announced.append(key.publicNumbers) }
        announce(key.publicNumbers)
        while !state.withLock({ $0.mayFinish }) {
            pause()
            state.withLock { $0.pausesAfter += 1 }
        }
        switch state.withLock({ $0.end }) {
        case .honest: return key
        case .fails: throw CryptoError(operation: "generating an RSA key", reason: "the test says so")
        case .another: return try WrappingKey(generatingBits: 2048)
        }
    }

    func pool(capacity: Int = 0, threadLimit: Int = 1) -> WrappingKeyPool {
        WrappingKeyPool(
            keyBits: 2048, capacity: capacity, quietTime: .seconds(3600), threadLimit: threadLimit,
            logger: RecordedLog().logger(), discardPrimes: {}
        ) { announce, pause throws(CryptoError) in try self.contribute(announce, pause) }
    }
}

@Suite("A wrapping key whose public half comes first", .timeLimit(.minutes(5)))
struct TakenKeyTests {
    private func context(_ time: Duration = .seconds(600)) -> RequestContext {
        RequestContext(id: "test", deadline: .after(time), logger: RecordedLog().logger())
    }

    /// The threads that make keys for who waits, or the one that makes them ahead of time.
    @Test("is given to who waits before it is whole, and whole when it is", arguments: [true, false])
    func publicHalfFirst(isAhead: Bool) async throws {
        let bench = Bench()
        let pool = bench.pool(capacity: isAhead ? 1 : 0, threadLimit: isAhead ? 0 : 1)
        defer { pool.shutdown() }
        let taken = try await pool.take(in: context())
        #expect(bench.announced == [taken.publicNumbers])
        #expect(pool.waitingCount == 0)
        // Nobody waits for a key any more, and yet its thread goes on: it has promised it.
        let pauses = bench.state.withLock { $0.pausesAfter }
        try await eventually { bench.state.withLock { $0.pausesAfter } > pauses + 2 }
        #expect(pool.restingCount == 0)
        bench.letFinish()
        let key = try await taken.whole(in: context())
        #expect(key.publicNumbers == taken.publicNumbers)
        let plaintext = Array("a key".utf8)
        let secret = SecretBytes(capacity: plaintext.count) { buffer in
            buffer.copyBytes(from: plaintext)
            return plaintext.count
        }
        let wrapped = try KeyWrap.wrap(secret, to: PublicKey(rsa: key.publicNumbers), using: .rsaAESKeyWrap256)
        let opened = try key.unwrap(wrapped, using: .rsaAESKeyWrap256)
        #expect(opened.withUnsafeBytes { Array($0) } == plaintext)
    }

    @Test("that waits in the pool is whole at once")
    func waiting() async throws {
        let bench = Bench(mayFinish: true)
        let pool = bench.pool(capacity: 1)
        defer { pool.shutdown() }
        pool.fill()
        try await eventually { pool.count == 1 }
        let taken = try await pool.take(in: context())
        // Not even a deadline that has passed is in the way.
        let key = try await taken.whole(in: context(.zero))
        #expect(key.publicNumbers == taken.publicNumbers)
    }

    @Test("is not waited for longer than the caller does", arguments: [true, false])
    func leaving(isLate: Bool) async throws {
        let bench = Bench()
        let pool = bench.pool()
        let taken = try await pool.take(in: context())
        let whole = Task { try await taken.whole(in: context(isLate ? .milliseconds(1) : .seconds(600))).bits }
        if !isLate { whole.cancel() }
        let result = await whole.result
        let error = #expect(throws: BrokerError.self) { try result.get() }
        #expect(error?.outcome == "deadlineExceeded at release")
        bench.letFinish()
        // Its key is nobody's; the next one is made.
        let next = try await pool.take(in: context())
        #expect(next.publicNumbers != taken.publicNumbers)
        let bits = try await next.whole(in: context()).bits
        #expect(bits == 2048)
    }

    @Test("and that turns out to be none is presented to no key store", arguments: [Bench.End.fails, .another])
    fileprivate func broken(_ end: Bench.End) async throws {
        let bench = Bench(end, mayFinish: true)
        let subject = try EngineUnderTest()
        let engine = try subject.engine(wrappingKeys: bench.pool())
        let request = ReleaseRequest(key: try #require(KeyName("k")))
        let error = await failure(of: request, by: engine)
        #expect(error?.outcome == "internal at release")
        #expect(subject.calls.count == Calls.Count(evidence: 1, verifier: 1, store: 0))
        // The next one is as good as if nothing had been.
        bench.state.withLock { $0.end = .honest }
        #expect(await failure(of: request, by: engine) == nil)
        #expect(subject.calls.count == Calls.Count(evidence: 2, verifier: 2, store: 1))
    }

    @Test("lets the machine be proven while it is made, and nothing more")
    func overlap() async throws {
        let bench = Bench()
        var subject = try EngineUnderTest()
        let answer = subject.wrapped
        subject.wrapped = { reference, token throws(BrokerError) in
            let isWhole = bench.state.withLock { $0.mayFinish }
            #expect(isWhole, "the store was asked before the key was whole")
            return try await answer(reference, token)
        }
        let engine = try subject.engine(wrappingKeys: bench.pool())
        let request = ReleaseRequest(key: try #require(KeyName("k")))
        let release = Task { await failure(of: request, by: engine) }
        try await eventually { subject.calls.count.verifier == 1 }
        bench.letFinish()
        #expect(await release.value == nil)
        #expect(subject.calls.count.store == 1)
    }
}
