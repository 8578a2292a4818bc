import BrokerCore
import BrokerTestKit
import Testing

@testable import CommandEvidence

@Suite("The provider 'command'")
struct ContractTests {
    /// A shell script that writes a report of zeros with the report data in its place, and a certificate that is none: who judges them is the verifier.
    private static let script = """
        head --bytes=80 /dev/zero; printf "$(printf %s "$0" | sed 's/../\\\\x&/g')"; head --bytes=1040 /dev/zero
        """

    private static func provider(_ program: String = "/bin/bash") throws(BrokerError) -> any EvidenceProvider {
        CommandEvidence(CommandSettings(program: program, arguments: ["-c", script], certificates: [[0x30, 0]]))
    }

    @Test("keeps the contract of evidence providers")
    func contract() async {
        let contract = EvidenceProviderContract(
            provenance: .hardware, makeProvider: { () throws(BrokerError) in try Self.provider() },
            withoutDevice: { () throws(BrokerError) in try Self.provider("/nonexistent/report") })
        let violations = await contract.violations()
        #expect(violations == [])
    }

    @Test("certificates are taken out of PEM text")
    func pem() {
        let text = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\nnoise\n-----BEGIN CERTIFICATE-----\nBA==\n-----END CERTIFICATE-----\n"
        #expect(PEM.certificates(Array(text.utf8)) == [[1, 2, 3], [4]])
    }
}
