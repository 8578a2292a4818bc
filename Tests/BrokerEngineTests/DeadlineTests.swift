import Waiting
import BrokerCore
import BrokerEngine
import BrokerTestKit
import HTTPTransport
import Logging
import OpenSSLCrypto
import Testing

@Suite("A request takes no longer than its deadline", .timeLimit(.minutes(5))) struct DeadlineTests {
    enum Hung: CaseIterable {
        case evidence, verifier, store

        var stage: BrokerError.Stage {
            switch self {
            case .evidence: .evidence
            case .verifier: .verify
            case .store: .release
            }
        }

        var calls: Calls.Count {
            switch self {
            case .evidence: Calls.Count(evidence: 1)
            case .verifier: Calls.Count(evidence: 1, verifier: 1)
            case .store: Calls.Count(evidence: 1, verifier: 1, store: 1)
            }
        }
    }

    /// An engine one of whose providers waits at the gate, says when its task is cancelled, and would answer honestly after that.
    private func subject(_ hung: Hung, _ gate: Gate, cancelled: Gate = Gate()) throws -> EngineUnderTest {
        var subject = try EngineUnderTest()
        let key = try Honest.key(.oct)
        @Sendable func hang(_ who: Hung) async {
            guard who == hung else { return }
            await withTaskCancellationHandler {
                await gate.wait()
            } onCancel: {
                cancelled.open()
            }
        }
        subject.evidence = { binding throws(BrokerError) in
            await hang(.evidence)
            return Honest.evidence(binding)
        }
        subject.token = { runtime, authority throws(BrokerError) in
            await hang(.verifier)
            return try Honest.token(runtime, authority)
        }
        subject.wrapped = { reference, token throws(BrokerError) in
            await hang(.store)
            return try Honest.wrapped(reference, token, key)
        }
        return subject
    }

    private let request = KeyName("k").map { ReleaseRequest(key: $0) }

    @Test(
        "a provider that hangs and ignores its cancellation costs the deadline and no more",
        arguments: Hung.allCases)
    func hanging(
        _ hung: Hung
    ) async throws {
        // However long a busy machine takes on the way to the provider that hangs: a deadline that passed earlier is tried again, longer.
        for timeout in [Duration.milliseconds(200), .seconds(2), .seconds(20), .seconds(100)] {
            if try await hangs(hung, timeout: timeout) { return }
        }
        Issue.record("the provider was not reached")
    }

    /// Whether the provider that hangs was reached before the deadline; then all that is promised was checked.
    private func hangs(_ hung: Hung, timeout: Duration) async throws -> Bool {
        let gate = Gate()
        let cancelled = Gate()
        defer { gate.open() }
        var subject = try subject(hung, gate, cancelled: cancelled)
        subject.requestTimeout = timeout
        let pool = WrappingKeyPool(capacity: 1, logger: subject.log.logger())
        defer { pool.shutdown() }
        pool.fill()
        try await eventually { pool.count == 1 }
        let engine = try subject.engine(wrappingKeys: pool)
        let request = try #require(request)
        let error = try #require(await failure(of: request, by: engine))
        guard gate.waiting == 1 else { return false }
        #expect(error.outcome == "deadlineExceeded at \(hung.stage.rawValue)")
        #expect(error.isRetryable)
        #expect(subject.calls.count == hung.calls)
        try await eventually { cancelled.isOpen }
        // What it says in the end is dropped, and nobody else is asked.
        gate.open()
        #expect(subject.calls.count == hung.calls)
        return true
    }

    @Test("evidence and tokens asked for by themselves are bounded too") func otherUses() async throws {
        for timeout in [Duration.milliseconds(200), .seconds(2), .seconds(20), .seconds(100)] {
            if try await isEachBounded(by: timeout) { return }
        }
        Issue.record("the provider was not reached")
    }

    /// Whether the provider that hangs was reached before the deadline by each; then all that is promised was checked.
    private func isEachBounded(by timeout: Duration) async throws -> Bool {
        let gate = Gate()
        defer { gate.open() }
        var subject = try subject(.evidence, gate)
        subject.requestTimeout = timeout
        let engine = try subject.engine()
        let data = RuntimeData([1])
        func outcome(_ call: (RequestContext) async throws(BrokerError) -> Void) async -> String? {
            do {
                try await call(engine.makeContext(id: "test"))
                return nil
            } catch { return error.outcome }
        }
        let outcomes = [
            await outcome { context throws(BrokerError) in _ = try await engine.rawEvidence(for: data, in: context) },
            await outcome { context throws(BrokerError) in _ = try await engine.combinedEvidence(for: data, in: context) },
            await outcome { context throws(BrokerError) in _ = try await engine.token(for: data, from: nil, in: context) },
        ]
        guard gate.waiting == 3 else { return false }
        #expect(outcomes == Array(repeating: "deadlineExceeded at evidence", count: 3))
        return true
    }

    @Test("a caller that goes away is let go, and the provider's task is cancelled", arguments: Hung.allCases) func callerGoesAway(
        _ hung: Hung
    ) async throws {
        let gate = Gate()
        let cancelled = Gate()
        defer { gate.open() }
        let subject = try subject(hung, gate, cancelled: cancelled)
        let engine = try subject.engine()
        let request = try #require(request)
        let call = Task { await failure(of: request, by: engine) }
        try await eventually { gate.waiting == 1 }
        call.cancel()
        // The deadline is ten minutes away, twice the time limit of this test.
        let error = await call.value
        #expect(gate.waiting == 1, "the provider still hangs")
        #expect(error?.outcome == "deadlineExceeded at \(hung.stage.rawValue)")
        try await eventually { cancelled.isOpen }
        gate.open()
        #expect(subject.calls.count == hung.calls)
    }

    @Test("a request whose deadline has passed asks nobody") func passed() async throws {
        var subject = try EngineUnderTest()
        subject.requestTimeout = .zero
        #expect(try await subject.failure()?.outcome == "deadlineExceeded at release")
        #expect(subject.calls.count == Calls.Count())
    }

    @Test("a caller that is gone already asks nobody") func gone() async throws {
        let subject = try EngineUnderTest()
        let engine = try subject.engine()
        let request = try #require(request)
        let start = Gate()
        let call = Task {
            await start.wait()
            return await failure(of: request, by: engine)
        }
        call.cancel()
        start.open()
        #expect(await call.value?.outcome == "deadlineExceeded at release")
        #expect(subject.calls.count == Calls.Count())
    }

    @Test("every provider sees the request's own deadline and identity") func carried() async throws {
        let subject = try EngineUnderTest()
        let engine = try subject.engine()
        let context = engine.makeContext(id: "request-17")
        _ = try await engine.release(try #require(request), in: context)
        #expect(subject.calls.contexts.count == 3)
        #expect(subject.calls.contexts.allSatisfy { $0.deadline == context.deadline && $0.id == "request-17" })
        #expect(subject.calls.contexts.allSatisfy { $0.logger[metadataKey: "request_id"] == "request-17" })
    }

    @Test("the deadline is the configured time from now") func made() throws {
        var subject = try EngineUnderTest()
        subject.requestTimeout = .seconds(77)
        let before = ContinuousClock.now
        let deadline = try subject.engine().makeContext(id: "x").deadline.instant
        #expect(before.advanced(by: .seconds(77)) <= deadline)
        #expect(deadline <= ContinuousClock.now.advanced(by: .seconds(77)))
    }

    @Test("a provider that hangs when asked whether it is ready costs the deadline, and is named") func readiness() async throws {
        struct Unsure: Verifier, ReadinessReporting {
            let gate: Gate
            var defaultAuthority: Endpoint? { nil }
            func accepts(_ authority: Endpoint) -> Bool { false }
            func token(for evidence: Evidence, runtimeData: RuntimeData, from authority: Endpoint, in context: RequestContext)
                async throws(BrokerError) -> AttestationToken
            { throw BrokerError(.internal, at: .verify, "never asked") }
            func obstacles(in context: RequestContext) async -> [String] {
                await gate.wait()
                return []
            }
        }
        let gate = Gate()
        defer { gate.open() }
        let calls = Calls()
        let log = RecordedLog()
        let engine = BrokerEngine(
            evidence: NamedProvider("fake", FakeEvidence(calls: calls) { binding throws(BrokerError) in Honest.evidence(binding) }),
            verifier: NamedProvider("unsure", Unsure(gate: gate)), keyStores: [],
            wrappingKeys: WrappingKeyPool(capacity: 0, logger: log.logger()),
            options: BrokerEngine.Options(requestTimeout: .milliseconds(200)), logger: log.logger())
        let readiness = await engine.readiness(in: engine.makeContext(id: "test"))
        #expect(!readiness.isReady)
        // On a busy machine the deadline may pass before the provider is even asked; then it is named all the same.
        #expect(readiness.obstacles.count == 1 && readiness.obstacles[0].hasPrefix("unsure: "))
        #expect(gate.waiting <= 1)
        #expect(readiness.provenance == .fixture)
    }

    @Test("providers are asked whether they are ready all at once") func readinessAtOnce() async throws {
        /// Ready as soon as the other one was asked too.
        struct Mutual: Verifier, KeyStore, ReadinessReporting {
            let own: Gate
            let other: Gate
            var defaultAuthority: Endpoint? { nil }
            var defaultEndpoint: Endpoint? { nil }
            func accepts(_ authority: Endpoint) -> Bool { false }
            func claims(_ endpoint: Endpoint) -> Bool { false }
            func token(for evidence: Evidence, runtimeData: RuntimeData, from authority: Endpoint, in context: RequestContext)
                async throws(BrokerError) -> AttestationToken
            { throw BrokerError(.internal, at: .verify, "never asked") }
            func release(_ key: KeyReference, presenting token: AttestationToken, as caller: CallerCredential, in context: RequestContext)
                async throws(BrokerError) -> WrappedKey
            { throw BrokerError(.internal, at: .release, "never asked") }
            func obstacles(in context: RequestContext) async -> [String] {
                own.open()
                await other.wait()
                return []
            }
        }
        let (first, second) = (Gate(), Gate())
        defer {
            first.open()
            second.open()
        }
        let log = RecordedLog()
        let engine = BrokerEngine(
            evidence: NamedProvider("fake", FakeEvidence(calls: Calls()) { binding throws(BrokerError) in Honest.evidence(binding) }),
            verifier: NamedProvider("verifier", Mutual(own: first, other: second)),
            keyStores: [NamedProvider("store", Mutual(own: second, other: first))],
            wrappingKeys: WrappingKeyPool(capacity: 0, logger: log.logger()), options: BrokerEngine.Options(requestTimeout: .seconds(120)),
            logger: log.logger())
        let readiness = await engine.readiness(in: engine.makeContext(id: "test"))
        #expect(readiness.obstacles == [])
    }
}
