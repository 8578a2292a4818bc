import Foundation
import Testing

/// One reader for each kind of input: the field cases, and the same inputs under the other commands that read their kind.
@Suite struct InputCommandTests {
    static let rego = "package policy\napi_version := \"0.10.0\"\ncontainers := []\nallow_properties_access := true\n"
    static let hostData = "9e8f675eb6ad756d869bffb50a053cf7fca70e3dd2bd82f94b4f20d604e8411b"
    static let base64 = Data(rego.utf8).base64EncodedString()

    static func template(_ head: String = "", inside: String = "") -> String {
        "\(head){\(inside)\n  \"resources\": [{\"properties\": {\"confidentialComputeProperties\": {\"ccePolicy\": \"\(base64)\"}}}]}\n"
    }

    static func utf16(_ text: String) -> Data { Data([0xFF, 0xFE]) + Data(text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }) }

    static func wrapped(_ data: Data) -> Data { data.base64EncodedData(options: [.lineLength76Characters, .endLineWithLineFeed]) }

    @Test("cases 1 to 3 and 5: every form of the policy gives the same host data, in digest, new and verify")
    func policies() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let inputs: [Data] = [
            Data(Self.template("// group\n").utf8), Data(Self.template("", inside: " // why\n /* \"a\": */").utf8),
            Data("\"\(Self.base64)\"".utf8),
            Data("\u{FEFF}\(Self.base64)".utf8), Self.utf16(Self.template("// group\r\n")), Self.wrapped(Data(Self.rego.utf8)),
            Self.wrapped(Data(Self.template().utf8)), Data("metadata:\n  annotations:\n    x.ccepolicy: \(Self.base64)\n".utf8),
            Data(#"{"parameters":{"ccePolicy":{"value":"\#(Self.base64)"}}}"#.utf8), Data(Self.rego.utf8),
        ]
        for (index, input) in inputs.enumerated() {
            let file = try scratch.write("input\(index)", input).path
            for result in [
                try Program.run(["policy", "digest", file]), try Program.run(["policy", "digest", "-f", file]),
                try Program.run(["policy", "digest"], input: input),
            ] { #expect(result.status == 0 && result.text == Self.hostData + "\n", "\(index): \(result.text)\(result.errors)") }
            let new = try Program.run(["policy", "new", "--region", "eastus2", "--template", file])
            #expect(new.status == 0 && new.text.contains(Self.hostData), "\(index): \(new.errors)")
        }
        for arguments in [
            ["-p", Self.base64], [Self.base64], ["-p", "\"\(Self.base64)\""], ["-p", Self.base64 + "\n"], [Self.template("// x\n")],
        ] {
            let result = try Program.run(["policy", "digest"] + arguments)
            #expect(result.status == 0 && result.text == Self.hostData + "\n", "\(arguments): \(result.errors)")
        }
        let context = scratch.directory.appending(path: "security-context")
        try FileManager.default.createDirectory(at: context, withIntermediateDirectories: true)
        try Data(Self.base64.utf8).write(to: context.appending(path: "security-policy-base64"))
        try Data("other".utf8).write(to: context.appending(path: "host-amd-cert-base64"))
        #expect(try Program.run(["policy", "digest", context.path]).text == Self.hostData + "\n")
        #expect(try Program.run(["policy", "digest", "-p", Self.base64, "-f", "x"]).status == 64)
        #expect(try Program.run(["policy", "digest", "--expect", "0x" + Self.hostData.uppercased(), "-p", Self.base64]).status == 0)
    }

    @Test("case 4: what holds no policy is refused with 2, by name, whoever reads it") func strangers() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let png = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        for (words, input) in [
            ("a Bicep parameter file", Data("using 'main.bicep'\nparam ccePolicy = '\(Self.base64)'\n".utf8)),
            ("HTML", Data("<!doctype html><p>".utf8)),
            ("a Makefile", Data(".PHONY: all\nall:\n\ttrue\n".utf8)), ("YAML", Data("a: b\n".utf8)), ("a PNG image", png),
            ("empty", Data()),
            ("a private key", Data("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n".utf8)),
        ] {
            let file = try scratch.write("input", input).path
            for command in [
                ["policy", "digest"], ["policy", "new", "--region", "eastus2", "--template"], ["policy", "lint"], ["evidence", "show"],
                ["evidence", "verify", "--certs", file, "--report"], ["token", "show"], ["token", "verify", "--keys", file],
                ["policy", "explain", "--claims", file, "--policy"],
            ] {
                let result = try Program.run(command + [file])
                #expect(result.status == 2, "\(command) of \(words): \(result.status) \(result.errors)")
                #expect(
                    result.errors.contains(words) && result.errors.contains("next:") && result.text.isEmpty, "\(command): \(result.errors)")
            }
        }
        let forced = try Program.run(["policy", "digest", "--form", "rego"], input: Data("module".utf8))
        #expect(forced.status == 0)
    }

    @Test("cases 11 and 12: the obstacle in a policy or a configuration is named with its place") func obstacles() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = PolicyCommandTests.policyFile("confidential-aci")
        let policy = try String(contentsOfFile: file, encoding: .utf8)
        let claims = try scratch.write("claims.json", try PolicyCommandTests.claims()).path
        for (change, place, words) in [
            ({ "// ours\n" + $0 }, "1:1", "a comment"),
            ({ $0.replacing("\"version\"", with: "/* v */ \"version\"", maxReplacements: 1) }, "2:", "a comment"),
            ({ $0.replacing("]\n}", with: "],\n}") }, "", "a trailing comma"),
        ] as [((String) -> String, String, String)] {
            let changed = try scratch.write("policy.json", change(policy))
            let lint = try Program.run(["policy", "lint", changed])
            #expect(
                lint.status == 1 && lint.text.contains("\(changed):\(place)") && lint.text.contains(words), "\(lint.text)\(lint.errors)")
            let explain = try Program.run(["policy", "explain", "--policy", changed, "--claims", claims])
            #expect(explain.status == 2 && explain.errors.contains(words) && explain.errors.contains("column"), "\(explain.errors)")
        }
        for (text, words) in [
            ("{\n  \"cloud\": \"china\" // here\n}", "line 2, column 20: a comment"),
            ("{\"cloud\": \"china\",}", "line 1, column 18: a trailing comma"),
            ("cloud: china\n", "YAML"), ("{'cloud': 'china'}", "single quotes"),
        ] {
            let result = try Program.run(["config", "check", "--config", scratch.write("broker.json", text)])
            #expect(result.status == 78 && result.errors.contains(words), "\(result.errors)")
        }
        let object = #"{"release_policy":{"data":{"version":"1.0.0","anyOf":[]}}}"#
        let result = try Program.run(["policy", "lint", scratch.write("key.json", object)])
        #expect(
            result.status == 2 && result.errors.contains("release_policy.data is an object") && result.errors.contains("base64"),
            "\(result.errors)")
    }

    @Test("case 20: evidence get makes its folder, which verify reads as it is; reports of services and devices") func collected() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let fixture = scratch.directory.appending(path: "fixture")
        try SharedFixture.copy(to: fixture)
        let output = scratch.directory.appending(path: "a/b").path
        let settings = ["--set", "evidence.use=fixture", "--set", "evidence.fixture.directory=\(fixture.path)"]
        let get = try Program.run(["evidence", "get", "--output", output] + settings)
        #expect(get.status == 0, "\(get.errors)")
        let verify = ["evidence", "verify", "--certs", output, "--root", output]
        let verdict = try Program.run(verify + ["--report", output])
        #expect(verdict.status == 0, "\(verdict.text)\(verdict.errors)")
        let report = try Data(contentsOf: URL(filePath: output + "/report.bin"))
        let shown = try Program.run(["evidence", "show", output + "/report.bin", "--json"]).text
        let hex = report.map { String(format: "%02x", $0) }.joined()
        let response = Data([0, 0, 0, 0, 0xA0, 4, 0, 0]) + Data(count: 24) + report
        for (name, input) in [
            ("raw", Data(#"{"report":"\#(hex)"}"#.utf8)), ("combined", Data(#"{"evidence":"\#(report.base64EncodedString())"}"#.utf8)),
            ("ioctl", response + Data(count: 2784)), ("short ioctl", response), ("hex", Data("0x\(hex)\n".utf8)),
            ("wrapped", Self.wrapped(report)),
            ("UTF-16", Self.utf16(hex)),
        ] {
            let file = try scratch.write("report", input).path
            let result = try Program.run(["evidence", "show", file, "--json"])
            #expect(result.status == 0 && result.text == shown, "\(name): \(result.errors)")
            #expect(try Program.run(verify + ["--report", file]).status == 0, "\(name)")
        }
    }
}

/// The cases whose inputs are real evidence.
@Suite(.enabled(if: EvidenceFolder.exists, "../shared/evidence is not there")) struct RealInputTests {
    @Test("cases 6 to 10: wrapped, quoted, in UTF-16, in the device's table and in a directory") func group() throws {
        let sample = try EvidenceFolder("azure-aci-milan-v2-2023")
        let scratch = try Scratch()
        defer { scratch.remove() }
        func file(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: sample.file(name))) }
        func forms(_ text: Data) throws -> [String] {
            let string = String(decoding: text, as: UTF8.self)
            var lines = ""
            for (index, character) in string.enumerated() { lines += String(character) + ((index + 1) % 76 == 0 ? "\r\n" : "") }
            return try [
                Data(lines.utf8), Data("\"\(string)\"".utf8), InputCommandTests.utf16(string), Data(" \(string)\n".utf8),
                Data("\u{FEFF}\(string)".utf8),
            ].map { try scratch.write(UUID().uuidString, $0).path }
        }
        for path in try forms(file("security-policy-base64.txt")) {
            #expect(try Program.run(sample.verifyArguments + ["--security-policy", path]).status == 0)
            #expect(try Program.run(["policy", "digest", path]).text.hasPrefix("cadd74f7"))
        }
        for path in try forms(file("reference-info-base64.txt")) {
            let result = try Program.run(sample.verifyArguments + ["--uvm", path])
            #expect(result.status == 0, "\(result.text)\(result.errors)")
        }
        let base = ["evidence", "verify", "--report", sample.file("report.bin"), "--at", sample.timeInsideValidity]
        for path in try forms(Data(file("host-amd-cert.json").base64EncodedString().utf8)) {
            #expect(try Program.run(base + ["--certs", path]).status == 0)
        }
        let all = try Program.run(base + ["--certs", sample.directory.path])
        #expect(all.status == 0, "\(all.text)\(all.errors)")

        // configfs-tsm's auxblob: GUID, offset and length of each certificate, then their DER.
        let openssl = URL(filePath: "/usr/bin/openssl")
        var (head, body) = (Data(), Data())
        func word(_ value: Int) -> Data { Data((0..<4).map { UInt8(value >> ($0 * 8) & 0xFF) }) }
        for (name, guid) in [
            ("vcek", "63da758de6644564adc5f4b93be8accd"), ("ask", "4ab7b379bbac4fe4a02f05aef327c782"),
            ("ark", "c0b406a4a80349529743 3fb6014cd0ae"),
        ] {
            let der = try Program.run(["x509", "-in", sample.file("\(name).pem"), "-outform", "DER"], executable: openssl).output
            let digits = Array(guid.filter(\.isHexDigit))
            head +=
                Data(stride(from: 0, to: 32, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }) + word(96 + body.count)
                + word(der.count)
            body += der
        }
        let table = head + Data(count: 24) + body
        let report = try file("report.bin")
        for (name, certificates, evidence) in [
            ("auxblob", table, report), ("extended report", report + table, report + table),
            ("wrapped", InputCommandTests.wrapped(table), report),
        ] {
            let certs = try scratch.write("certs", certificates).path
            let file = try scratch.write("report", evidence).path
            let result = try Program.run(["evidence", "verify", "--report", file, "--certs", certs, "--at", sample.timeInsideValidity])
            #expect(result.status == 0, "\(name): \(result.text)\(result.errors)")
        }
        let key = try Program.run(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], executable: openssl).output
        let wrong = try Program.run(base + ["--certs", scratch.write("key.pem", key).path])
        #expect(wrong.status == 2 && wrong.errors.contains("looks like a private key, not a certificate"), "\(wrong.errors)")
    }

    @Test("case 21: a report of version 2 shows the components of its TCB") func components() throws {
        let sample = try EvidenceFolder("azure-aci-milan-v2-2023")
        let wanted = try #require((sample.expected["report"] as? [String: Any])?["reported_tcb"] as? [String: Any])
        let result = try Program.run(["evidence", "show", sample.file("report.bin"), "--json"])
        let shown = try #require(result.object["reported_tcb"] as? [String: Any])
        for component in ["bootloader", "tee", "snp", "microcode"] {
            #expect(shown[component] as? Int != nil && shown[component] as? Int == wanted[component] as? Int, "\(component)")
        }
        #expect(result.object["product"] is NSNull)
        #expect(try Program.run(["evidence", "show", sample.file("report.bin")]).text.contains("microcode"))
    }
}

/// Tokens, keys and what is encrypted with them.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "no openssl to make keys with")) struct KeyInputTests
{
    private static let openssl = URL(filePath: "/usr/bin/openssl")

    @Test("tokens and published keys in the forms in which people have them") func tokens() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let token = try SignedToken(scratch)
        let keys = try scratch.write("keys.json", token.keys)
        let shown = try Program.run(["token", "show", "-", "--json"], input: Data(token.compact.utf8)).text
        for (name, input) in [
            ("bare", Data("\n\(token.compact)\r\n".utf8)), ("quoted", Data("\"\(token.compact)\"".utf8)),
            ("Bearer", Data("Bearer \(token.compact)".utf8)),
            ("header", Data("Authorization: Bearer \(token.compact)\n".utf8)), ("service", Data(#"{"token":"\#(token.compact)"}"#.utf8)),
            ("UTF-16", InputCommandTests.utf16(token.compact + "\r\n")),
            ("base64", Data(Data(token.compact.utf8).base64EncodedString().utf8)),
        ] {
            #expect(try Program.run(["token", "show", "-", "--json"], input: input).text == shown, "\(name)")
            let verdict = try Program.run(["token", "verify", "-", "--keys", keys], input: input)
            #expect(verdict.status == 0, "\(name): \(verdict.text)\(verdict.errors)")
            let explain = ["policy", "explain", "--policy", PolicyCommandTests.policyFile("confidential-aci"), "--token", "-", "--json"]
            #expect(try Program.run(explain, input: input).object["verdict"] != nil, "\(name)")
        }
        let single = token.keys.replacing(#"{"keys":["#, with: "").replacing("]}", with: "")
        for text in ["\u{FEFF}\(token.keys)", single] {
            let other = try scratch.write("other.json", text)
            #expect(try Program.run(["token", "verify", "-", "--keys", other], input: Data(token.compact.utf8)).status == 0, "\(text)")
        }
    }

    @Test("case 35: why a published key was skipped") func skippedKeys() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let token = try SignedToken(scratch)
        let padded = token.keys.replacing("\"}]}", with: "==\"}]}")
        let wrapped = token.keys.replacing("\"kid\"", with: "\"x5c\":[\"MIIB\\nAAAA\"],\"kid\"")
        for (text, words) in [(padded, "padded"), (wrapped, "line breaks")] {
            let keys = try scratch.write("keys.json", text)
            for arguments in [[], ["--json"]] {
                let result = try Program.run(["token", "verify", "-", "--keys", keys] + arguments, input: Data(token.compact.utf8))
                #expect(result.status == 1 && (result.text + result.errors).contains(words), "\(result.text)\(result.errors)")
            }
        }
    }

    @Test("a public key for wrap in UTF-16, base64 and on one line; a private one is refused") func publicKey() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let key = scratch.directory.appending(path: "key.pem").path
        _ = try Program.run(["genrsa", "-out", key, "2048"], executable: Self.openssl)
        let pem = try Program.run(["rsa", "-in", key, "-pubout"], executable: Self.openssl).text
        let input = try scratch.write("plain", "x")
        func wrap(_ publicKey: Data) throws -> Program.Result {
            let file = try scratch.write("public", publicKey).path
            try scratch.write("k-info.json", "\u{FEFF}{\"public_key_path\":\"\(file)\"}")
            return try Program.run(["wrap", "-infile", input, "-keypath", scratch.directory.appending(path: "k").path])
        }
        for form in [
            Data(pem.utf8), InputCommandTests.utf16(pem), Data(Data(pem.utf8).base64EncodedString().utf8),
            Data(pem.replacing("\n", with: #"\n"#).utf8),
        ] {
            let result = try wrap(form)
            #expect(result.status == 0, "\(result.errors)")
        }
        let refused = try wrap(Data(contentsOf: URL(filePath: key)))
        #expect(refused.status == 2 && refused.errors.contains("looks like a private key"), "\(refused.errors)")
    }

    /// Imports into the simulated HSM or vault; `arguments` give the key.
    private func importKey(_ name: String, _ type: String, _ azure: LocalAzure, _ arguments: [String], input: Data? = nil) throws
        -> Program.Result
    {
        let host = type == "oct-HSM" ? ["mhsm": LocalAzure.managedHSM] : ["akv": LocalAzure.vault]
        var key: [String: Any] = ["kid": name, "kty": type, "authority": ["endpoint": "HTTPS://\(LocalAzure.authority.uppercased())/"]]
        // The address as the portal shows it.
        for (member, host) in host { key[member] = ["endpoint": "https://\(host)/"] }
        let root: [String: Any] = ["key": key, "claims": [LocalAzure.sound]]
        let json = String(decoding: try JSONSerialization.data(withJSONObject: root), as: UTF8.self)
        let config = try azure.scratch.write("\(name).json", InputCommandTests.utf16(json)).path
        let broker = try azure.scratch.write("broker.json", try JSONSerialization.data(withJSONObject: azure.configuration)).path
        return try Program.run(["key", "import", "-c", config, "--config", broker] + arguments, input: input)
    }

    @Test("case 19: a key file that is text for other bytes is refused, with both readings") func textAsKey() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let key = Data((0..<32).map { UInt8($0 * 5) })
        let hex = key.map { String(format: "%02x", $0) }.joined()
        for (index, (text, form, count)) in [
            (hex, "hex", 64), (hex.uppercased() + "\r\n", "hex", 66), (key.base64EncodedString() + "\n", "base64", 45),
        ].enumerated() {
            let file = try azure.scratch.write("key\(index)", Data(text.utf8)).path
            let refused = try importKey("text\(index)", "oct-HSM", azure, ["-kh", file])
            #expect(refused.status == 2 && !refused.errors.contains(hex) && !refused.errors.contains(text), "\(refused.errors)")
            for words in ["--key-form \(form) takes the 32 bytes", "--key-form raw the \(count) bytes"] {
                #expect(refused.errors.contains(words), "\(refused.errors)")
            }
            let decoded = try importKey("decoded\(index)", "oct-HSM", azure, ["-kh", file, "--key-form", form])
            #expect(decoded.status == 0, "\(decoded.errors)")
        }
        let raw = try importKey("raw", "oct-HSM", azure, ["-kh", "-", "--key-form", "raw"], input: Data(hex.utf8.prefix(32)))
        #expect(raw.status == 0, "\(raw.errors)")
    }

    @Test("case 36: a key with its public key attached, and the command that makes it plain; PEM as variables and secrets have it")
    func privateKeys() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let path = azure.scratch.directory.appending(path: "ec.pem").path
        _ = try Program.run(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path], executable: Self.openssl)
        let pem = try String(contentsOfFile: path, encoding: .utf8)
        let der = try Program.run(["pkcs8", "-topk8", "-nocrypt", "-in", path, "-outform", "DER"], executable: Self.openssl).output
        // 30 81 LL 02 01 00 …: the version becomes 1, and [1] follows.
        let content = Data([2, 1, 1]) + der.dropFirst(6) + Data([0x81, 3, 0, 4, 4])
        let attached = Data([0x30, 0x81, UInt8(content.count)]) + content
        let file = try azure.scratch.write(
            "attached.pem",
            "-----BEGIN PRIVATE KEY-----\n\(attached.base64EncodedString(options: .lineLength64Characters))\n-----END PRIVATE KEY-----\n")
        let refused = try importKey("attached", "EC-HSM", azure, ["-kp", file])
        #expect(refused.status == 2 && refused.errors.contains("public key attached"), "\(refused.errors)")
        let start = try #require(refused.errors.range(of: "(printf"))
        let end = try #require(refused.errors.range(of: "PLAIN-FILE"))
        let plain = azure.scratch.directory.appending(path: "plain.pem").path
        let command = refused.errors[start.lowerBound..<end.upperBound].replacing("PLAIN-FILE", with: plain).replacing(
            "-in FILE", with: "-in \(file)")
        let made = try Program.run(["-c", String(command)], executable: URL(filePath: "/bin/sh"))
        #expect(made.status == 0, "\(command): \(made.errors)")
        #expect(try importKey("plain", "EC-HSM", azure, ["-kp", plain]).status == 0)
        for (index, form) in [
            Data(pem.replacing("\n", with: #"\n"#).utf8), Data(pem.replacing("\n", with: " ").utf8), InputCommandTests.utf16(pem),
            Data(Data(pem.utf8).base64EncodedString().utf8), der,
        ].enumerated() {
            let result = try importKey("form\(index)", "EC-HSM", azure, ["-kp", azure.scratch.write("form\(index)", form).path])
            #expect(result.status == 0, "\(index): \(result.errors)")
        }
    }
}
