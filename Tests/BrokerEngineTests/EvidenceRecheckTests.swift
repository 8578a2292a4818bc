import BrokerCore
import BrokerEngine
import BrokerTestKit
import Testing

@Suite("What the engine checks again about evidence") struct EvidenceRecheckTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let outcome: String
        let answer: @Sendable (ReportData) -> Evidence

        init(_ name: String, _ outcome: String, _ answer: @escaping @Sendable (ReportData) -> Evidence) {
            testDescription = name
            self.outcome = outcome
            self.answer = answer
        }
    }

    /// Wrong for every use.
    static let noReports = [
        Case("commits to other data", "evidenceUnavailable at evidence") { _ in Honest.evidence(RuntimeData(Array("other".utf8)).reportData)
        },
        Case("last byte of the report data differs", "evidenceUnavailable at evidence") { binding in
            var report = Honest.report(binding)
            report[0x8F] ^= 1
            return Honest.evidence(binding, report: report)
        }, Case("empty report", "evidenceUnavailable at evidence") { Honest.evidence($0, report: []) },
        Case("one byte short", "evidenceUnavailable at evidence") { Honest.evidence($0, report: Honest.report($0).dropLast()) },
        Case("one byte long", "evidenceUnavailable at evidence") { Honest.evidence($0, report: Honest.report($0) + [0]) },
        Case("1184 zero bytes", "evidenceUnavailable at evidence") { Honest.evidence($0, report: [UInt8](repeating: 0, count: 1184)) },
        Case("a fixture that says it is hardware", "internal at evidence") { Honest.evidence($0, provenance: .hardware) },
    ]

    /// Good enough as raw evidence, but not to be judged by anybody.
    static let notEndorsed = [
        Case("endorsed for another TCB", "endorsementMismatch at endorsement") { Honest.evidence($0, tcb: "7308000000000004") },
        Case("endorsed for no TCB", "endorsementMismatch at endorsement") { Honest.evidence($0, tcb: "") },
        Case("no endorsements", "evidenceUnavailable at endorsement") { Honest.evidence($0, endorsements: []) },
    ]

    private func subject(_ wrong: Case) throws -> EngineUnderTest {
        var subject = try EngineUnderTest()
        subject.evidence = { binding throws(BrokerError) in wrong.answer(binding) }
        return subject
    }

    private func outcome(_ call: () async throws(BrokerError) -> Void) async -> String? {
        do {
            try await call()
            return nil
        } catch { return error.outcome }
    }

    @Test("is not sent to the verifier", arguments: noReports + notEndorsed) func notSentOn(_ wrong: Case) async throws {
        let subject = try subject(wrong)
        #expect(try await subject.failure()?.outcome == wrong.outcome)
        #expect(subject.calls.count == Calls.Count(evidence: 1))
        let engine = try subject.engine()
        let context = engine.makeContext(id: "test")
        let data = RuntimeData([1])
        #expect(await outcome { () throws(BrokerError) in _ = try await engine.token(for: data, from: nil, in: context) } == wrong.outcome)
        #expect(await outcome { () throws(BrokerError) in _ = try await engine.combinedEvidence(for: data, in: context) } == wrong.outcome)
        #expect(subject.calls.count == Calls.Count(evidence: 3))
    }

    @Test("is not given out raw", arguments: noReports) func notGivenOut(_ wrong: Case) async throws {
        let engine = try subject(wrong).engine()
        #expect(
            await outcome { () throws(BrokerError) in
                _ = try await engine.rawEvidence(for: RuntimeData([1]), in: engine.makeContext(id: "test"))
            } == wrong.outcome)
    }

    @Test("is given out raw without endorsements", arguments: notEndorsed) func rawWithoutEndorsements(_ wrong: Case) async throws {
        let engine = try subject(wrong).engine()
        let data = RuntimeData([1])
        let evidence = try await engine.rawEvidence(for: data, in: engine.makeContext(id: "test"))
        #expect(Array(evidence.report[0x50..<0x90]) == data.reportData.bytes)
    }

    @Test("hardware that says it is a fixture is refused too") func contradiction() async throws {
        var subject = try EngineUnderTest()
        subject.provenance = .hardware
        #expect(try await subject.failure()?.outcome == "internal at evidence")
        #expect(subject.calls.count == Calls.Count(evidence: 1))
    }

    @Test("a provider's own error reaches the caller unchanged and ends the request") func ownError() async throws {
        var subject = try EngineUnderTest()
        subject.evidence = { _ throws(BrokerError) in throw BrokerError(.evidenceUnavailable, at: .evidence, "there is no device") }
        let error = try #require(try await subject.failure())
        #expect(error.outcome == "evidenceUnavailable at evidence")
        #expect(error.message == "there is no device")
        #expect(subject.calls.count == Calls.Count(evidence: 1))
    }
}
