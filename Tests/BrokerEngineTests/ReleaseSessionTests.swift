import Issuing
import BrokerCore
import BrokerTestKit
import HTTPTransport
import SNPReport
import Synchronization
import Testing

@testable import BrokerEngine

@Suite("Release sessions", .timeLimit(.minutes(5))) struct ReleaseSessionTests {
    /// A token that lives long enough to be used again; `number` tells it from others.
    static func token(_ runtime: RuntimeData, _ authority: Endpoint, lifetime: Int64 = 3600) throws(BrokerError)
        -> AttestationToken
    { try Honest.token(runtime, authority, lifetime: lifetime) }

    private static func subject(maxAge: Duration = .seconds(600), maxUses: Int = 1000) throws -> EngineUnderTest {
        var subject = try EngineUnderTest()
        subject.session = ReleaseSessionOptions(maxAge: maxAge, maxUses: maxUses)
        subject.token = { runtime, authority throws(BrokerError) in try token(runtime, authority) }
        return subject
    }

    private func release(_ engine: BrokerEngine, key: String = "k", store: String? = nil) async throws {
        let request = ReleaseRequest(key: try #require(KeyName(key)), store: try store.map { try Endpoint($0) })
        _ = try await engine.release(request, in: engine.makeContext(id: "test"))
    }

    @Test("are off unless somebody asks for them: every release proves the machine anew") func offByDefault() async throws {
        let subject = try EngineUnderTest()
        let engine = try subject.engine()
        for _ in 0..<3 { try await release(engine) }
        #expect(subject.calls.count == .init(evidence: 3, verifier: 3, store: 3))
    }

    @Test("serve their number of releases and no more") func uses() async throws {
        let subject = try Self.subject(maxUses: 3)
        let engine = try subject.engine()
        for _ in 0..<7 { try await release(engine) }
        #expect(subject.calls.count == .init(evidence: 3, verifier: 3, store: 7))
    }

    @Test("are not used when they, or their token, are too old", arguments: [(0, 3600), (600, 60)]) func age(maxAge: Int, lifetime: Int64)
        async throws
    {
        var subject = try Self.subject(maxAge: .seconds(maxAge))
        subject.token = { runtime, authority throws(BrokerError) in try Self.token(runtime, authority, lifetime: lifetime) }
        let engine = try subject.engine()
        for _ in 0..<3 { try await release(engine) }
        #expect(subject.calls.count == .init(evidence: 3, verifier: 3, store: 3))
    }

    @Test("are made once for all who ask at the same time, and no use is given out twice", arguments: [1000, 20, 1]) func singleFlight(
        maxUses: Int
    ) async throws {
        let subject = try Self.subject(maxUses: maxUses)
        let engine = try subject.engine()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<50 { group.addTask { try await release(engine, key: "k\(number)") } }
            try await group.waitForAll()
        }
        #expect(subject.calls.count.store == 50)
        #expect(subject.calls.count.evidence == (50 + maxUses - 1) / maxUses)
    }

    @Test("belong to one store") func scope() async throws {
        let subject = try Self.subject()
        let engine = try subject.engine()
        for store in ["one.vault.example", "two.vault.example", "one.vault.example", "two.vault.example"] {
            try await release(engine, store: store)
        }
        #expect(subject.calls.count == .init(evidence: 2, verifier: 2, store: 4))
    }

    @Test("end when a report shows another TCB") func tcbChange() async throws {
        var subject = try Self.subject()
        let isUpdated = Mutex(false)
        subject.evidence = { binding throws(BrokerError) in
            guard isUpdated.withLock({ $0 }) else { return Honest.evidence(binding) }
            let tcb = TCBVersion(raw: 0x7408_0000_0000_0003)
            var report = ReportBuilder()
            report.reportData = binding.bytes
            report.setEveryTCB(tcb)
            return Honest.evidence(binding, report: report.unsignedBytes(), tcb: tcb.hex)
        }
        let engine = try subject.engine()
        try await release(engine)
        try await release(engine)
        #expect(subject.calls.count.evidence == 1)
        isUpdated.withLock { $0 = true }
        // Somebody asks for evidence; the session is found to be of the past.
        _ = try await engine.rawEvidence(for: RuntimeData([1]), in: engine.makeContext(id: "raw"))
        try await release(engine)
        try await release(engine)
        #expect(subject.calls.count == .init(evidence: 3, verifier: 2, store: 4))
        #expect(subject.log.lines.contains { $0.contains("reports another TCB") })
    }

    @Test("end when the operator says so") func ended() async throws {
        let subject = try Self.subject()
        let engine = try subject.engine()
        try await release(engine)
        #expect(engine.endSessions() == 1)
        #expect(engine.endSessions() == 0)
        try await release(engine)
        #expect(subject.calls.count.evidence == 2)
    }

    @Test("end when the store refuses an old token, and the release goes on with a new one") func refusedLater() async throws {
        var subject = try Self.subject()
        let honest = subject.wrapped
        let seen = Mutex<[String: Int]>([:])
        subject.wrapped = { reference, token throws(BrokerError) in
            let uses = seen.withLock { seen in
                seen[token.compact, default: 0] += 1
                return seen[token.compact] ?? 0
            }
            guard uses < 3 else { throw BrokerError(.releaseDenied, at: .release, "no longer") }
            return try await honest(reference, token)
        }
        let engine = try subject.engine()
        for _ in 0..<4 { try await release(engine) }
        // Two releases for each session; the third is refused and repeated.
        #expect(subject.calls.count == .init(evidence: 2, verifier: 2, store: 5))
    }

    @Test("a key that is denied to a fresh session as well ends nobody's session (C3)") func deniedKey() async throws {
        var subject = try Self.subject()
        let honest = subject.wrapped
        subject.wrapped = { reference, token throws(BrokerError) in
            guard reference.name.name == "k" else { throw BrokerError(.releaseDenied, at: .release, "no") }
            return try await honest(reference, token)
        }
        let engine = try subject.engine()
        try await release(engine)
        let denied = ReleaseRequest(key: try #require(KeyName("denied")))
        for _ in 0..<10 {
            #expect(await failure(of: denied, by: engine)?.outcome == "releaseDenied at release")
            try await release(engine)
        }
        // The first denial could have been the session's fault; a second session showed that it was not.
        #expect(subject.calls.count.evidence == 2)
    }

    @Test("a denial for another reason than token and policy ends no session (C3)") func deniedForOtherReason() async throws {
        var subject = try Self.subject()
        let honest = subject.wrapped
        let details = BrokerError.Details(cause: "key-disabled", summary: "enable it")
        subject.wrapped = { reference, token throws(BrokerError) in
            guard reference.name.name == "k" else { throw BrokerError(.releaseDenied, at: .release, "no", details: details) }
            return try await honest(reference, token)
        }
        let engine = try subject.engine()
        try await release(engine)
        _ = await failure(of: ReleaseRequest(key: try #require(KeyName("denied"))), by: engine)
        try await release(engine)
        #expect(subject.calls.count.evidence == 1)
    }

    @Test("an expired session is let go by time, when nobody looks (C7)") func expires() async throws {
        let subject = try Self.subject(maxAge: .milliseconds(50))
        let engine = try subject.engine()
        try await release(engine)
        // No release follows; `count` only counts.
        try await eventually { engine.sessions?.count == 0 }
    }

    @Test("a no to a fresh token is final, and the session stays for others") func refusedAtOnce() async throws {
        var subject = try Self.subject()
        subject.wrapped = { _, _ throws(BrokerError) in throw BrokerError(.releaseDenied, at: .release, "no") }
        let engine = try subject.engine()
        for _ in 0..<2 {
            let error = await failure(of: ReleaseRequest(key: try #require(KeyName("k"))), by: engine)
            #expect(error?.outcome == "releaseDenied at release")
        }
        #expect(subject.calls.count == .init(evidence: 1, verifier: 1, store: 2))
    }

    @Test("a verifier that says no is told to everybody who waited, and nothing is kept") func failedMaking() async throws {
        var subject = try Self.subject()
        subject.token = { _, _ throws(BrokerError) in throw BrokerError(.verificationRejected, at: .verify, "no") }
        let engine = try subject.engine()
        let request = ReleaseRequest(key: try #require(KeyName("k")))
        let outcomes = await withTaskGroup(of: String?.self) { group in
            for _ in 0..<10 { group.addTask { await failure(of: request, by: engine)?.outcome } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes == Array(repeating: "verificationRejected at verify", count: 10))
        #expect(subject.calls.count.store == 0)
        #expect(engine.endSessions() == 0)
    }

    @Test("a caller that goes away takes the session from nobody") func cancelledMaker() async throws {
        var subject = try Self.subject()
        let gate = Gate()
        subject.evidence = { binding throws(BrokerError) in
            await gate.wait()
            return Honest.evidence(binding)
        }
        let engine = try subject.engine()
        let first = Task { try await release(engine) }
        try await eventually { gate.waiting == 1 }
        let second = Task { try await release(engine) }
        // Both want the same key, so the second waits for the exchange of the first.
        try await eventually { engine.shared.callerCount == 2 }
        first.cancel()
        let left = await first.result
        #expect(throws: BrokerError.self) { try left.get() }
        gate.open()
        try await second.value
        #expect(subject.calls.count.evidence == 1)
    }
}
