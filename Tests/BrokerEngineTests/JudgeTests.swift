import BrokerCore
import BrokerTestKit
import HTTPTransport
import PlainText
import SNPReport
import SNPVerification
import Testing

@testable import BrokerEngine

/// A verifier that judges as a test says.
struct FakeJudge: EvidenceJudge {
    var verdict = Verdict.verified
    var error: BrokerError?

    var defaultAuthority: Endpoint? { nil }
    func accepts(_ authority: Endpoint) -> Bool { false }
    func token(for evidence: Evidence, runtimeData: RuntimeData, from authority: Endpoint, in context: RequestContext)
        async throws(BrokerError) -> AttestationToken
    { throw BrokerError(.noProvider, at: .verify, "none") }

    func judgement(of evidence: Evidence, runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Judgement {
        if let error { throw error }
        let holds = verdict == .verified || verdict == .limited
        return Judgement(
            verdict: verdict, checks: [Check("vmpl-mismatch", holds, "VMPL 1, expected 0")],
            leftOut: verdict == .limited ? [Omission("crl-stale", "old")] : [], notChecked: [], product: nil, nextSteps: ["move"])
    }
}

/// A judge beside the verifier that issues tokens.
@Suite("A judge beside the verifier") struct JudgeTests {
    private static let reject = BrokerError(.verificationRejected, at: .verify, "the authority says no")

    struct Row: Sendable {
        let rule: VerifierRule
        let verdict: Verdict
        let issues: Bool
        /// `nil` where a key comes out.
        let outcome: String?
        let disagreements: Int

        init(_ rule: VerifierRule, _ verdict: Verdict, issues: Bool, _ outcome: String?, _ disagreements: Int) {
            self.rule = rule
            self.verdict = verdict
            self.issues = issues
            self.outcome = outcome
            self.disagreements = disagreements
        }
    }

    private static let no = "verificationRejected at verify"

    static let rows: [Row] = [
        Row(.all, .verified, issues: true, nil, 0), Row(.all, .limited, issues: true, nil, 0), Row(.all, .rejected, issues: true, no, 1),
        Row(.all, .unsupported, issues: true, no, 1), Row(.all, .verified, issues: false, no, 1),
        Row(.all, .rejected, issues: false, no, 0), Row(.any, .rejected, issues: true, nil, 1),
        Row(.any, .verified, issues: false, no, 1), Row(.primary(judges: true), .rejected, issues: true, no, 1),
        Row(.primary(judges: false), .rejected, issues: true, nil, 1), Row(.primary(judges: false), .unsupported, issues: true, nil, 1),
        Row(.primary(judges: true), .unsupported, issues: true, no, 1),
    ]

    @Test("each rule lets through what it should, before the store is asked, and every disagreement is told", arguments: rows.indices)
    func rules(index: Int) async throws {
        let row = Self.rows[index]
        var world = try EngineUnderTest()
        if !row.issues { world.token = { _, _ throws(BrokerError) in throw Self.reject } }
        let engine = try world.engine(judges: [NamedProvider("local", FakeJudge(verdict: row.verdict))], rule: row.rule)
        let failure = await failure(of: ReleaseRequest(key: try #require(KeyName("k"))), by: engine)
        #expect(failure?.outcome == row.outcome)
        #expect(world.calls.count.store == (row.outcome == nil ? 1 : 0))
        #expect(engine.disagreementCount == row.disagreements)
        #expect(world.log.lines.contains { $0.contains("verifiers disagree") } == (row.disagreements > 0))
        if row.verdict == .unsupported, row.outcome != nil {
            #expect(failure?.details?.cause == "evidence-unsupported" && failure?.message.contains("unsupported") == true)
            #expect(failure?.details?.nextSteps == ["move"])
        }
        if row.disagreements > 0, row.issues {
            #expect(world.log.lines.contains { $0.contains("x-ms-sevsnpvm-vmpl=") }, "the claim in which they differ")
        }
    }

    @Test("a judge that cannot judge stops a release that needs it") func failingJudge() async throws {
        let error = BrokerError(.endorsementMismatch, at: .verify, "no certificate")
        for (rule, outcome) in [(VerifierRule.all, "endorsementMismatch at verify"), (.any, nil)] as [(VerifierRule, String?)] {
            let world = try EngineUnderTest()
            let engine = try world.engine(judges: [NamedProvider("local", FakeJudge(error: error))], rule: rule)
            #expect(await failure(of: ReleaseRequest(key: try #require(KeyName("k"))), by: engine)?.outcome == outcome)
        }
    }

    @Test("a token for another report is caught where a judge stands beside its issuer") func lyingAuthority() async throws {
        var world = try EngineUnderTest()
        world.token = { runtime, authority throws(BrokerError) in
            let members = #""x-ms-sevsnpvm-vmpl":1,"x-ms-sevsnpvm-launchmeasurement":"00","#
            return try Honest.token(
                runtime, authority, compact: Honest.compact(runtime: String(decoding: runtime.bytes, as: UTF8.self), also: members))
        }
        for rule in [VerifierRule.all, .any, .primary(judges: false)] {
            let engine = try world.engine(judges: [NamedProvider("local", FakeJudge())], rule: rule)
            let failure = await failure(of: ReleaseRequest(key: try #require(KeyName("k"))), by: engine)
            #expect(failure?.outcome == "upstreamInvalid at verify")
            #expect(failure?.message.contains("x-ms-sevsnpvm-vmpl") == true && failure?.message.contains("launchmeasurement") == true)
        }
        #expect(world.calls.count.store == 0)
        #expect(try await world.failure() == nil, "without a judge the verifier that issues tokens is all there is")
    }

    @Test("the verdict is there for whoever asks, where somebody judges") func verdict() async throws {
        let world = try EngineUnderTest()
        let engine = try world.engine(judges: [NamedProvider("local", FakeJudge(verdict: .limited))])
        let judgement = try await engine.verdict(for: RuntimeData([1]), in: engine.makeContext(id: "t"))
        #expect(judgement.verdict == .limited && judgement.isAccepted)
        let alone = try world.engine()
        await #expect(throws: BrokerError.self) { try await alone.verdict(for: RuntimeData([1]), in: alone.makeContext(id: "t")) }
    }
}
