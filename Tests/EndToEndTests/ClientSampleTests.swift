import Foundation
import Testing

/// What `samples/` has for callers and for the shell of those who type.
@Suite struct ClientSampleTests {
    private static let samples = Program.packageRoot.appending(path: "samples")

    @Test("the callers in curl and Python get a key, and say why when there is none") func callers() throws {
        let azure = try LocalAzure()
        let key = ["kty": "oct-HSM", "k": Data(repeating: 7, count: 32).base64URL]
        try azure.importKey("example", at: LocalAzure.managedHSM, key, policy: LocalAzure.policy())
        let never = LocalAzure.policy([["claim": "x-ms-sevsnpvm-hostdata", "equals": "00"]])
        try azure.importKey("refused", at: LocalAzure.managedHSM, key, policy: never)
        let broker = try azure.serve(["key-stores.use=mhsm"])
        let url = "http://127.0.0.1:\(broker.port)"
        for name in ["clients/release.sh", "clients/release.py"] {
            let program = Self.samples.appending(path: name)
            let released = try Program.run(["example", url], executable: program)
            #expect(released.status == 0 && released.text.hasSuffix("released a key of type oct\n"), "\(name): \(released)")
            #expect(!released.text.contains(key["k"] ?? ""), "\(name) prints the key")
            let refused = try Program.run(["refused", url], executable: program)
            #expect(refused.status != 0, "\(name)")
            #expect((refused.errors + refused.text).contains("releaseDenied"), "\(name): \(refused)")
        }
        let refused = try Program.run(["refused", url], executable: Self.samples.appending(path: "clients/release.py"))
        #expect(refused.errors.contains("x-ms-sevsnpvm-hostdata") || refused.errors.contains("policy"), "\(refused.errors)")
        #expect(broker.program.stop() == 0)
    }

    @Test(
        "the sample with Microsoft's clients makes a key and gets it through the sidecar, against the simulators",
        .enabled(if: RealClientTests.keyClients != nil, "the packages of Tests/run.sh are not installed for SIMULATOR_TEST_PYTHON"),
        arguments: [LocalAzure.vault, LocalAzure.managedHSM]) func azureSDK(_ store: String) throws
    {
        let azure = try LocalAzure(["--proxy-port", "0"])
        defer { azure.stop() }
        let broker = try azure.serve(["key-stores.use=\(store == LocalAzure.vault ? "akv" : "mhsm")"])
        let policy = Program.packageRoot.appending(path: "policies/release/fixture-guest.json").path
        let result = try Program.run(
            [
                Self.samples.appending(path: "clients/azure_sdk.py").path, store, "sdk-key", policy, "http://127.0.0.1:\(broker.port)",
            ], environment: azure.environment, executable: try #require(RealClientTests.keyClients))
        #expect(result.status == 0 && result.text.hasSuffix("released its private half, for encrypt, decrypt\n"), "\(result)")
        #expect(broker.program.stop() == 0)
    }

    @Test("completions are made for each shell", arguments: ["bash", "zsh", "fish"]) func completions(_ shell: String) throws {
        let result = try Program.run(["--generate-completion-script", shell])
        #expect(result.status == 0)
        for leaf in JSONFailureTests.leaves { #expect(leaf.path.allSatisfy { result.text.contains($0) }, "\(leaf.name)") }
        guard shell == "bash" else { return }
        let scratch = try Scratch()
        defer { scratch.remove() }
        let script = try scratch.write("completion", result.text)
        #expect(try Program.run(["-n", script], executable: URL(filePath: "/bin/bash")).status == 0)
    }

    @Test("the manual page has every command with its options and examples") func manual() throws {
        let result = try Program.run([Program.executable.path], executable: Self.samples.appending(path: "man.py"))
        #expect(result.status == 0, "\(result.errors)")
        let page = result.text.replacing("\\-", with: "-")
        #expect(page.hasPrefix(".TH ATTESTATION-BROKER 1"))
        for leaf in JSONFailureTests.leaves {
            #expect(page.contains(".SS \(leaf.name)\n"))
            for option in leaf.options where option.count > 1 && !option.hasPrefix("original-") {
                #expect(page.contains("-\(option)"), "\(leaf.name) --\(option)")
            }
            for line in leaf.discussion.split(separator: "\n").filter({ $0.hasPrefix("  attestation-broker") }) {
                #expect(page.contains(line), "\(line)")
            }
        }
    }
}
