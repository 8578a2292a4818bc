import Foundation
import Testing

/// Real clients of Azure against `simulate`, which they reach by its proxy, and against a broker.
@Suite(.serialized) struct RealClientTests {
    /// The value of a variable that names a Python with the packages, where it has them.
    private static func python(_ variable: String, _ modules: String) -> URL? {
        guard let path = ProcessInfo.processInfo.environment[variable] else { return nil }
        let executable = URL(filePath: path)
        return (try? Program.run(["-c", "import \(modules)"], executable: executable).status) == 0 ? executable : nil
    }

    static let keyClients = python(
        "SIMULATOR_TEST_PYTHON", "aiohttp, azure.identity, azure.keyvault.keys, azure.security.attestation, cryptography, msal")
    static let cli = python("SIMULATOR_TEST_AZ", "azure.cli.core")

    @Test(
        "Microsoft's Python clients: every way to log in, both stores, synchronous and not, release and secure wrap",
        .enabled(if: keyClients != nil, "the packages of Tests/run.sh are not installed for SIMULATOR_TEST_PYTHON"))
    func pythonClients() throws { try run("python_clients.py", with: try #require(Self.keyClients)) }

    @Test(
        "the Azure CLI: login and the life of keys on vault and HSM, released by the broker",
        .enabled(if: cli != nil, "azure-cli is not installed for SIMULATOR_TEST_AZ")) func azureCLI() throws
    {
        try run("azure_cli.py", with: try #require(Self.cli)) { scratch in
            let made = try Program.run(
                ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", scratch.path + "/key.pem"],
                executable: URL(filePath: "/usr/bin/openssl"))
            #expect(made.status == 0, "\(made.errors)")
        }
    }

    /// Runs a script beside this file in a directory of its own, with the environment that `simulate` prints.
    private func run(_ script: String, with python: URL, prepare: (Scratch) throws -> Void = { _ in }) throws {
        let azure = try LocalAzure(["--proxy-port", "0"])
        defer { azure.stop() }
        let broker = try azure.serve()
        defer { broker.program.stop() }
        let scratch = try Scratch()
        defer { scratch.remove() }
        try prepare(scratch)
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Clients/\(script)")
        let start = "import os, runpy, sys; os.chdir(sys.argv.pop(1)); runpy.run_path(sys.argv.pop(1), run_name='__main__')"
        let outcome = try Program.run(
            ["-c", start, scratch.path, file.path, "http://127.0.0.1:\(broker.port)"],
            environment: azure.environment.merging(["HOME": scratch.path]) { $1 }, executable: python)
        #expect(outcome.status == 0 && outcome.text.hasSuffix("done\n"), "\(outcome.text)\n\(outcome.errors)")
    }
}
