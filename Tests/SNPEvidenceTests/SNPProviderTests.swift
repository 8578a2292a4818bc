import BrokerCore
import BrokerTestKit
import HTTPTransport
import Testing

@testable import SNPEvidence

@Suite("Evidence provider snp") struct SNPProviderTests {
    private let host = HostServices.forTest(transport: ScriptedTransport(script: []))

    @Test func settingsAreChecked() throws {
        #expect(snpEvidence.name == "snp")
        for choice in ["auto", "sev-guest", "sev-legacy", "configfs-tsm"] {
            #expect(try snpEvidence.makeForTest(["interface": .string(choice)], host: host).provenance == .hardware)
        }
        let wrong: [[String: RawSetting]] = [
            ["interface": .string("tpm")], ["vmpl": .integer(4)], ["vmpl": .integer(-1)], ["endorsement-sources": .list([])],
            ["endorsement-sources": .list(["kds", "kds"])], ["endorsement-sources": .list(["google"])], ["product": .string("naples")],
            ["thim-endpoint": .string("http://169.254.169.254")], ["azure-cache-tee-type": .string("../x")],
            ["azure-cache-query": .string("a=b c")], ["security-context-directory": .string("/no/such/directory")],
            ["reference-info": .string("no base64!")], ["endorsement-root-file": .string("/no/such/file")],
        ]
        for settings in wrong {
            do {
                _ = try snpEvidence.makeForTest(settings, host: host)
                Issue.record("\(settings) was accepted")
            } catch {}
        }
    }

    @Test func withoutADeviceThereIsNoEvidence() async throws {
        let provider = try snpEvidence.makeForTest([:], host: host)
        do throws(BrokerError) {
            _ = try await provider.evidence(binding: ReportData(sha256Of: []), in: .forTest())
            Issue.record("there was evidence")
        } catch {
            #expect(error.code == .evidenceUnavailable && error.stage == .evidence)
            for path in ["/dev/sev-guest", "/dev/sev", "/sys/kernel/config/tsm/report"] { #expect(error.message.contains(path)) }
            #expect(await (provider as? any ReadinessReporting)?.obstacles(in: .forTest()) == [error.message])
        }
    }
}
