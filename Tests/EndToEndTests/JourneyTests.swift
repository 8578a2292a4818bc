import Foundation
import Testing

/// From a security policy to a released key and through a rollout, in a folder that holds the two security policies and what commands
/// wrote.
@Suite(.serialized, .timeLimit(.minutes(10))) struct JourneyTests {
    /// What a step wrote and how it ended; each step is a line of a shell in the folder.
    private static func step(_ line: String, in folder: Scratch, status: Int32 = 0, environment: [String: String] = [:]) throws -> String {
        let program = Program.executable.deletingLastPathComponent().path
        let path = "\(program):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"
        let result = try Program.run(
            ["-c", "cd '\(folder.path)' && \(line)"], environment: environment.merging(["PATH": path]) { $1 },
            executable: URL(filePath: "/bin/bash"))
        #expect(result.status == status, "\(line): \(result.text)\(result.errors)")
        return result.text + result.errors
    }

    private static func rego(_ name: String) -> String {
        "package policy\n\napi_version := \"0.11.0\"\ncontainers := [{\"name\":\"app\",\"id\":\"\(name)\"}]\n"
    }

    @Test(
        "policy, lint, import, show, serve, release, rollout, denial: every file but the security policies is a command's",
        arguments: [
            LocalAzure.vault, LocalAzure.managedHSM,
        ]) func journey(_ store: String) throws
    {
        let folder = try Scratch()
        defer { folder.remove() }
        try folder.write("old.rego", Self.rego("old"))
        try folder.write("new.rego", Self.rego("new"))
        try FileManager.default.createDirectory(
            at: folder.directory.appending(path: ".attestation-broker"), withIntermediateDirectories: true)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o700], ofItemAtPath: folder.directory.appending(path: ".attestation-broker").path)
        try SharedFixture.copy(to: folder.directory.appending(path: ".attestation-broker/fixture"))
        let simulators = try RunningProgram([
            "simulate", "--directory", folder.path + "/.attestation-broker", "--port", "0", "--metadata-port", "0", "--proxy-port", "0",
            "--json",
        ])
        defer { simulators.stop() }
        let line = try simulators.wait(for: /(\{.*"tls_port".*\})\n/)
        let ports = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        let azure = try #require(ports["environment"] as? [String: String])
        func step(_ line: String, status: Int32 = 0) throws -> String { try Self.step(line, in: folder, status: status) }
        let configuration = "--config .attestation-broker/broker.json"

        // The key's policy, and the key.
        let region = "--region eastus2"
        _ = try step("attestation-broker policy new \(region) --template old.rego --output policy.json")
        _ = try step("attestation-broker policy lint policy.json")
        _ = try step("attestation-broker key import --kty RSA-HSM --name app --store \(store) --policy policy.json \(configuration)")
        let digest = try step("attestation-broker policy digest old.rego").prefix(64)
        #expect(try step("attestation-broker key show app --store \(store) \(configuration)").contains(digest))

        // The workload gets it, and Microsoft's own client with a key that the broker attested.
        func serve(_ rego: String) throws -> Broker {
            let settings = [
                "server.http=127.0.0.1:0", "evidence.fixture.security-policy=\(folder.path)/\(rego)",
                "key-stores.use=\(store == LocalAzure.vault ? "akv" : "mhsm")",
            ]
            return try Broker(
                ["serve", "--config", folder.path + "/.attestation-broker/broker.json"] + settings.flatMap { ["--set", $0] })
        }
        let old = try serve("old.rego")
        defer { old.program.stop() }
        let ask = #"curl -s --noproxy '*' --json '{"kid":"app"}' -w '\n%{http_code}\n'"#
        #expect(try step("\(ask) http://127.0.0.1:\(old.port)/key/release").hasSuffix("\n200\n"))
        if let python = RealClientTests.keyClients {
            let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Clients/journey.py")
            let released = try Program.run(
                [script.path, "http://127.0.0.1:\(old.port)", store, "app"], environment: azure, executable: python)
            #expect(released.text == "released app\n", "\(released.text)\(released.errors)")
        }

        // The new deployment is admitted beside the old one, then alone.
        _ = try step("attestation-broker policy new \(region) --template old.rego --template new.rego --output both.json")
        #expect(try step("attestation-broker policy diff policy.json both.json", status: 1).contains("hostdata"))
        _ = try step("attestation-broker key policy set app both.json --store \(store) \(configuration)")
        let new = try serve("new.rego")
        defer { new.program.stop() }
        for broker in [old, new] { #expect(try broker.release("app").status == 200) }
        _ = try step("attestation-broker policy new \(region) --template new.rego --output policy.json")
        _ = try step("attestation-broker key policy set app policy.json --store \(store) \(configuration)")
        #expect(try new.release("app").status == 200)

        // The old one is told why, by the broker and by the command.
        let denied = try step("\(ask) http://127.0.0.1:\(old.port)/key/release")
        #expect(denied.contains("releaseDenied") && denied.contains("x-ms-sevsnpvm-hostdata") && denied.contains(digest), "\(denied)")
        _ = try step("attestation-broker key policy show app --store \(store) \(configuration) > stored.json")
        let token = #"curl -s --noproxy '*' --json '{"runtime_data":"e30="}' http://127.0.0.1:\#(old.port)/attest/maa > token.json"#
        _ = try step(token)
        let explained = try step("attestation-broker policy explain --policy stored.json --token token.json", status: 1)
        #expect(explained.contains("x-ms-sevsnpvm-hostdata") && explained.contains(digest), "\(explained)")
    }
}
