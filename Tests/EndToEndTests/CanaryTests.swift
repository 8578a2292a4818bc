import Foundation
import Testing

/// No command says a secret that it was not asked for by name. Every command of the program is run here; one that is new fails the test until it has its row.
@Suite(
    .serialized, .timeLimit(.minutes(10)),
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "no openssl to make secrets with")) struct CanaryTests
{
    /// A secret and every text that would give it away.
    private struct Canary {
        let name: String
        let forms: [String]

        init(_ name: String, bytes: Data) {
            self.name = name
            let hex = bytes.map { String(format: "%02x", $0) }.joined()
            // Base64 at each of the three places where it may begin, without the characters that neighbours share.
            let shifted = (0..<3).flatMap { shift -> [String] in
                let text = (Data(count: shift) + bytes).base64EncodedString()
                let core = String(text.dropFirst(4).dropLast(4))
                return [core, core.replacing("+", with: "-").replacing("/", with: "_")]
            }
            forms = [hex, hex.uppercased()] + shifted
        }

        init(_ name: String, text: String) {
            self.name = name
            forms = [text] + Canary(name, bytes: Data(text.utf8)).forms
        }
    }

    /// Paths of all commands, as the program itself lists them.
    private static func commands() throws -> Set<String> {
        let dump = try Program.run(["--experimental-dump-help"]).object
        func leaves(_ command: [String: Any], _ path: [String]) -> [String] {
            let children = (command["subcommands"] as? [[String: Any]] ?? []).filter { $0["commandName"] as? String != "help" }
            guard !children.isEmpty else { return [path.joined(separator: " ")] }
            return children.flatMap { leaves($0, path + [$0["commandName"] as? String ?? "?"]) }
        }
        return Set(leaves(try #require(dump["command"] as? [String: Any]), []))
    }

    @Test("every command is run with secrets at hand, and its output is searched for them") func everyCommand() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let scratch = azure.scratch
        func file(_ name: String) -> String { scratch.directory.appending(path: name).path }

        // What must not be seen: keys, bearer tokens, a federated token.
        let symmetric = Data((0..<32).map { _ in UInt8.random(in: 0...255) })
        let openssl = URL(filePath: "/usr/bin/openssl")
        let pem = file("canary.pem")
        _ = try Program.run(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", pem], executable: openssl)
        let pkcs8 = try Program.run(["pkcs8", "-topk8", "-nocrypt", "-in", pem, "-outform", "DER"], executable: openssl).output
        let bearer = "canary-bearer-\(UUID().uuidString)"
        let signed = try SignedToken(scratch)
        let federated = try scratch.write("federated", "canary-federated-\(UUID().uuidString)")
        let canaries =
            [
                Canary("the symmetric key", bytes: symmetric),
                // In PKCS#8 (RFC 5915) the private number of P-256 is the 32 bytes from 36 on.
                Canary("the private number", bytes: pkcs8.subdata(in: 36..<68)), Canary("the bearer token", text: bearer),
                Canary("the federated token", text: try String(contentsOfFile: federated, encoding: .utf8)),
            ] + signed.parts.map { Canary("the attestation token", text: $0) }

        let configuration = try scratch.write("canary-broker.json", try JSONSerialization.data(withJSONObject: azure.configuration)).path
        func importConfig(_ name: String, _ type: String, _ store: String, bearer: String) throws -> String {
            try scratch.write(
                "\(name).json",
                try JSONSerialization.data(
                    withJSONObject: [
                        "key": [
                            "kid": name, "kty": type, "authority": ["endpoint": LocalAzure.authority],
                            "akv": ["endpoint": store, "bearer_token": bearer],
                        ], "claims": [LocalAzure.sound],
                    ] as [String: Any])
            ).path
        }
        let octConfig = try importConfig("canary-oct", "oct-HSM", LocalAzure.managedHSM, bearer: "")
        let ecConfig = try importConfig("canary-ec", "EC-HSM", LocalAzure.vault, bearer: "")
        let refusedConfig = try importConfig("canary-refused", "oct-HSM", LocalAzure.managedHSM, bearer: bearer)
        let hex = symmetric.map { String(format: "%02x", $0) }.joined()
        let keyFile = try scratch.write("canary.bin", symmetric).path
        let tokenFile = try scratch.write("canary-token", signed.compact)
        let keys = try scratch.write("canary-keys.json", signed.keys)
        let publicKey = file("canary-public.pem")
        _ = try Program.run(["genrsa", "-out", file("canary-rsa.pem"), "2048"], executable: openssl)
        _ = try Program.run(["rsa", "-in", file("canary-rsa.pem"), "-pubout", "-out", publicKey], executable: openssl)
        _ = try scratch.write("canary-wrap-info.json", #"{"public_key_path":"\#(publicKey)"}"#)
        let policy = PolicyCommandTests.policyFile("confidential-aci")
        let evidence = file("canary-evidence")
        try FileManager.default.createDirectory(atPath: evidence, withIntermediateDirectories: true)
        let with = ["--config", configuration]

        var rows: [(command: String, lines: [[String]])] = [
            (
                "key import",
                [
                    ["-c", octConfig, "-kh", hex, "-out", "--symmetric-key-file", file("canary-out.bin")] + with,
                    ["-c", octConfig, "-kh", keyFile, "--json"] + with, ["-c", ecConfig, "-kp", pem] + with,
                    ["-c", octConfig, "-kh", hex + "zz"] + with, ["-c", ecConfig, "-kp", keyFile] + with,
                    ["-c", refusedConfig, "-kh", hex] + with, ["-c", pem] + with, ["-c", keyFile] + with,
                ]
            ), ("key list", [["--store", LocalAzure.managedHSM] + with, ["--store", LocalAzure.vault, "--json"] + with]),
            (
                "key show",
                [["canary-oct", "--store", LocalAzure.managedHSM] + with, ["canary-ec", "--store", LocalAzure.vault, "--json"] + with]
            ),
            (
                "key release",
                [
                    ["canary-oct", "--store", LocalAzure.managedHSM] + with,
                    ["canary-ec", "--store", LocalAzure.vault, "--json", "--output", file("canary-ec.jwk")] + with,
                    ["canary-ec", "--store", LocalAzure.managedHSM] + with,
                ]
            ),
            (
                "key policy show",
                [["canary-oct", "--store", LocalAzure.managedHSM] + with, ["canary-ec", "--store", LocalAzure.vault, "--json"] + with]
            ),
            (
                "key policy set",
                [
                    ["canary-oct", policy, "--store", LocalAzure.managedHSM, "--dry-run"] + with,
                    ["canary-oct", pem, "--store", LocalAzure.managedHSM, "--access-token-file", tokenFile] + with,
                ]
            ), ("policy diff", [[policy, policy], [pem, tokenFile], [keyFile, tokenFile]]),
            ("wrap", [["-infile", keyFile, "-keypath", file("canary-wrap")], ["-infile", pem, "-keypath", file("canary-wrap")]]),
            ("unwrap", [[keyFile] + with, [pem, "--json"] + with, [tokenFile] + with]),
            ("key-provider config", [with, ["--config", pem], ["--config", tokenFile]]),
            ("token show", [[tokenFile], [tokenFile, "--json"], [pem]]),
            ("token verify", [[tokenFile, "--keys", keys], [tokenFile, "--keys", keys, "--json"], [pem, "--keys", tokenFile]]),
            ("policy explain", [["--policy", policy, "--token", tokenFile], ["--policy", pem, "--token", tokenFile, "--json"]]),
            ("policy lint", [[tokenFile], [pem], [keyFile]]), ("policy digest", [[tokenFile], [pem]]),
            ("policy new", [["--region", "northeurope", "--template", pem]]), ("evidence get", [with, ["--output", evidence] + with]),
            ("evidence show", [[tokenFile], [pem], [keyFile]]),
            ("evidence verify", [["--report", keyFile, "--certs", pem], ["--report", tokenFile, "--certs", keyFile]]),
            ("evidence checks", [[]]), ("plugins list", [[]]), ("plugins show", [["maa"], ["akv"]]), ("plugins probe", [with]),
            ("doctor", [with, with + ["--key", "canary-oct", "--store", LocalAzure.managedHSM, "--json"]]),
            ("healthcheck", [["--set", "server.http=127.0.0.1:1", "--verbose"] + with, ["--config", tokenFile]]),
            ("config check", [with, ["--config", pem], ["--config", octConfig], ["--config", tokenFile]]), ("config example", [[]]),
            ("config explain", [["log"], ["server.http", "--json"], [pem]]),
            ("demo", [["--json"]]), ("audit verify", [[pem], [tokenFile, "--key-file", keyFile]]),
            ("audit show", [[pem], [tokenFile, "--json"]]), ("audit tail", [[pem], [tokenFile]]),
            ("callers explain", [["--key", "canary-oct", "--uid", "1"] + with, ["--key", bearer] + with]),
            // Ends at once: the directory is a file.
            ("simulate", [["--directory", pem]]),
        ]
        rows.append(("serve", [["--config", pem], ["--config", tokenFile], ["-base64", hex]]))
        #expect(Set(rows.map(\.command)) == (try Self.commands()), "a command without a row, or a row without a command")

        let environment = [
            "AZURE_CLIENT_ID": "4d1f", "AZURE_TENANT_ID": "12345678-1234-1234-1234-123456789012", "AZURE_FEDERATED_TOKEN_FILE": federated,
        ]
        var said: [(what: String, output: String)] = []
        for (command, lines) in rows {
            for (index, line) in lines.enumerated() {
                // Each command with the machine's identity; every second line also with a federated one at hand.
                let result = try Program.run(
                    command.split(separator: " ").map(String.init) + line, environment: index % 2 == 1 ? environment : [:])
                said.append(("\(command), line \(index + 1)", result.text + result.errors))
                if index == 0, command.hasPrefix("key ") { #expect(result.status == 0, "\(command): \(result.errors)") }
            }
        }
        said.append(("serve", try serverLog(azure, bearer, federated)))
        for (what, output) in said {
            for canary in canaries { #expect(!canary.forms.contains { output.contains($0) }, "\(what) says \(canary.name)") }
        }
        // The search finds what is said on request, so silence above means something.
        let asked = try Program.run(["key", "release", "canary-oct", "--store", LocalAzure.managedHSM, "--print-key"] + with)
        #expect(asked.status == 0 && canaries[0].forms.contains { asked.text.contains($0) })
    }

    /// What a server logs at its most talkative level while it releases keys with tokens of callers, good and bad.
    private func serverLog(_ azure: LocalAzure, _ bearer: String, _ federated: String) throws -> String {
        let broker = try azure.serve(
            ["log.level=trace", "key-stores.use=akv,mhsm", "audit.file=\(azure.scratch.path)/canary-audit"],
            environment: ["AZURE_FEDERATED_TOKEN_FILE": federated])
        let oct = try broker.release("canary-oct", at: LocalAzure.managedHSM)
        #expect(oct.status == 200, "\(oct.answer)")
        #expect(try broker.release("canary-ec", at: LocalAzure.vault).status == 200)
        let refused = try broker.release("canary-oct", at: LocalAzure.managedHSM, ["access_token": bearer])
        #expect(refused.status == 403)
        _ = try broker.post("/key/release", ["kid": bearer, "access_token": [bearer]])
        #expect(broker.program.stop() == 0)
        #expect(broker.program.output.contains("/key/release"))
        let audit = try String(contentsOfFile: "\(azure.scratch.path)/canary-audit", encoding: .utf8)
        #expect(audit.split(separator: "\n").count >= 4)
        return broker.program.output + audit
    }
}
