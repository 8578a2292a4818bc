import BrokerCore
import HTTPTransport
import PlainText
import SNPFixture
import OpenSSLCrypto
import BrokerTestKit
import Logging
import Issuing
import Synchronization
import SNPReport
import SNPVerification
import Testing
import Waiting

@testable import LocalVerifier

/// What the local verifier says under each of its settings.
@Suite("The local verifier's judgement") struct LocalJudgeTests {
    private static let old = TCBVersion(TCBComponents(bootloader: 4, tee: 0, snp: 24, microcode: 200), for: .milan)

    struct Row: Sendable, CustomStringConvertible {
        let description: String
        let failures: [String]
        var verdict = Verdict.rejected
        var tcb: TCBVersion?
        var settings: [String: RawSetting] = [:]
        var bend: @Sendable (inout ReportBuilder) -> Void = { _ in }
    }

    static let rows: [Row] = [
        Row(description: "an honest report", failures: [], verdict: .verified),
        Row(description: "old microcode", failures: ["tcb-below-minimum"], tcb: old),
        Row(description: "old microcode, no floor", failures: [], verdict: .verified, tcb: old, settings: ["floors": .list([])]),
        Row(
            description: "a foreign measurement", failures: ["measurement-mismatch"],
            settings: [
                "measurements": .list([String(repeating: "ab", count: 48), String(repeating: "cd", count: 48)])
            ]),
        Row(
            description: "one of several measurements", failures: [], verdict: .verified,
            settings: [
                "measurements": .list([String(repeating: "ab", count: 48), String(repeating: "00", count: 48)])
            ]),
        Row(
            description: "foreign host data", failures: ["host-data-mismatch"],
            settings: ["host-data": .string(String(repeating: "ab", count: 32))]),
        Row(description: "VMPL 1", failures: ["vmpl-mismatch"], bend: { $0.vmpl = 1 }),
        Row(
            description: "VMPL 1 where it is wanted", failures: [], verdict: .verified, settings: ["vmpl": .integer(1)],
            bend: { $0.vmpl = 1 }),
        Row(description: "the host asked", failures: ["vmpl-host", "vmpl-mismatch"], bend: { $0.vmpl = .max }),
        Row(description: "debugging", failures: ["debug-allowed"], bend: { $0.policy = GuestPolicy(raw: $0.policy.raw | 1 << 19) }),
        Row(
            description: "debugging on request", failures: [], verdict: .verified, settings: ["allow-debug": .boolean(true)],
            bend: { $0.policy = GuestPolicy(raw: $0.policy.raw | 1 << 19) }),
        Row(description: "a version that nobody knows", failures: ["report-version"], verdict: .unsupported, bend: { $0.version = 7 }),
        Row(description: "version 6 of a Milan", failures: ["report-version"], verdict: .unsupported, bend: { $0.version = 6 }),
        Row(
            description: "a floor that says nothing of Milan", failures: ["floor-unknown"], verdict: .unsupported,
            settings: ["floors": .string("AMD-SB-3034")]),
        Row(description: "mitigations of version 3", failures: ["mitigation-missing"], settings: ["mitigations": .string("0x1")]),
        Row(
            description: "mitigations of version 5", failures: [], verdict: .verified, settings: ["mitigations": .string("0x1")],
            bend: {
                $0.version = 5
                $0.launchMitigationVector = 3
                $0.currentMitigationVector = 1
            }),
        Row(
            description: "version 4 with vectors", failures: [], verdict: .limited,
            bend: {
                $0.version = 4
                $0.currentMitigationVector = 1
            }),
        Row(description: "no endorsement of the utility VM", failures: ["uvm-cose"], settings: ["uvm-endorsement": .string("require")]),
        Row(
            description: "a list of revoked certificates in force", failures: [], verdict: .verified,
            settings: ["crl-check": .string("required")]),
    ]

    @Test("each fault has its verdict and its code", arguments: rows) func verdicts(row: Row) async throws {
        var world = try LocalWorld(tcb: row.tcb)
        world.settings.merge(row.settings) { $1 }
        world.bend = row.bend
        let judgement = try await world.judgement()
        #expect(judgement.checks.failures == row.failures, "\(judgement.checks.filter { !$0.ok })")
        #expect(judgement.verdict == row.verdict)
        #expect(judgement.isAccepted == (row.verdict == .verified || row.verdict == .limited))
        #expect((judgement.refusal(by: "local") == nil) == judgement.isAccepted)
        if row.failures == ["tcb-below-minimum"] {
            let refusal = try #require(judgement.refusal(by: "local"))
            #expect(refusal.message.contains("azure-fleet") && refusal.details?.nextSteps.first?.contains("firmware") == true)
        }
    }

    @Test("a report for other data is not taken for this occasion's") func otherData() async throws {
        let world = try LocalWorld()
        let context = RequestContext(id: "test", deadline: .after(.seconds(600)), logger: world.log.logger())
        let evidence = try world.evidence(RuntimeData([9]).reportData)
        let judgement = try await world.judge().judgement(of: evidence, runtimeData: LocalWorld.data, in: context)
        #expect(judgement.checks.failures == ["report-data-mismatch"])
    }

    @Test("it issues no token") func noToken() async throws {
        let world = try LocalWorld()
        let judge = try world.judge()
        #expect(judge.defaultAuthority == nil)
        let context = RequestContext(id: "test", deadline: .after(.seconds(600)), logger: world.log.logger())
        let authority = try Endpoint("a.attest.azure.net")
        #expect(!judge.accepts(authority))
        let error = await #expect(throws: BrokerError.self) {
            try await judge.token(
                for: world.evidence(LocalWorld.data.reportData), runtimeData: LocalWorld.data, from: authority, in: context)
        }
        #expect(error?.code == .noProvider)
    }

    @Test("a floor or a file that is not there is a wrong configuration") func wrongSettings() throws {
        for (name, value) in [("floors", "AMD-SB-1"), ("root-file", "/nonexistent"), ("mitigations", "x"), ("measurements", "00")] {
            var world = try LocalWorld()
            world.settings[name] = .string(value)
            let failure = #expect(throws: BrokerError.self) { try world.judge() }
            #expect(failure?.code == .misconfigured)
        }
    }
}
