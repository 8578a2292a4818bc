import AzureSimulators
import Glibc
import OpenSSLCrypto
import SNPFixture
import SNPReport
import SecureMemory
import StrictJSON
import Testing

/// Microsoft's Python packages, where they are installed:
/// `python3 -m venv ENV && ENV/bin/pip install azure-identity azure-keyvault-keys azure-security-attestation six`, then
/// `SIMULATOR_TEST_PYTHON=ENV/bin/python3`.
struct OfficialClientTests {
    /// A Python that has the packages; `nil` where there is none.
    static let python: String? = {
        let name = getenv("SIMULATOR_TEST_PYTHON").map { String(cString: $0) } ?? "python3"
        let test = "import azure.identity, azure.keyvault.keys, azure.security.attestation, cryptography.x509.verification"
        return ChildProcess.runBlocking([name, "-c", test]).status == 0 ? name : nil
    }()

    @Test(
        "Microsoft's Python clients work, and open what they are given",
        .enabled(
            if: python != nil,
            "azure-identity, azure-keyvault-keys and azure-security-attestation are not installed for SIMULATOR_TEST_PYTHON"))
    func pythonClients() async throws {
        let python = try #require(Self.python)
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let wrappingKey = try PrivateKey.generateRSA(bits: 2048)
        let pem = try wrappingKey.pem()
        try overwrite(directory.path + "/wrapping.pem", pem.withUnsafeBytes { Array($0) })
        let guest = Guest(publicNumbers: try #require(wrappingKey.publicKey.rsaNumbers))
        try overwrite(directory.path + "/attest.json", JSONValue.object(try guest.attestBody()).serialized())
        let script = directory.path + "/clients.py"
        try overwrite(script, Array(officialClientScript.utf8))
        try await Cloud.run({
            Guest.trust(&$0)
            // The clients look at the real time.
            $0.clock = { Int64(time(nil)) }
        }) { cloud in
            let outcome = await ChildProcess.run([
                python, script, String(cloud.ports.tls), String(cloud.ports.metadata), cloud.caFile, directory.path,
            ])
            #expect(outcome.status == 0 && outcome.output.hasSuffix("done\n"), "\(outcome.output)")
        }
    }
}
