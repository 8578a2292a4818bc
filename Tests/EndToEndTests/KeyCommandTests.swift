import Foundation
import Testing

/// `key import|list|show|release`, as a key's owner runs them against the simulated stores.
@Suite(
    .serialized, .timeLimit(.minutes(10)),
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "no openssl to make keys with")) struct KeyCommandTests
{
    /// One simulated Azure with the broker's configuration in a file.
    private struct World {
        let azure: Result<LocalAzure, any Error>
        let configuration: String
        let scratch: Scratch

        init(_ options: [String] = []) throws {
            azure = Result { try LocalAzure(options) }
            let azure = try azure.get()
            scratch = azure.scratch
            configuration = try scratch.write("keys.json", try JSONSerialization.data(withJSONObject: azure.configuration)).path
        }

        func stop() { try? azure.get().stop() }

        func key(_ arguments: [String]) throws -> Program.Result { try Program.run(["key"] + arguments + ["--config", configuration]) }

        func openssl(_ arguments: [String]) throws -> Program.Result {
            let result = try Program.run(arguments, executable: URL(filePath: "/usr/bin/openssl"))
            #expect(result.status == 0, "\(arguments): \(result.errors)")
            return result
        }

        /// The original's configuration file; `store` is the member `akv` or `mhsm`.
        func importConfig(
            _ name: String, type: String?, store: (member: String, host: String), operations: [String]? = nil,
            derivation: [String: String]? = nil, bearer: String = "",
            claims: [[[String: String]]] = [LocalAzure.sound]
        ) throws -> String {
            var key: [String: Any] = [
                "kid": name, "authority": ["endpoint": LocalAzure.authority],
                store.member: ["endpoint": store.host, "api_version": "api-version=7.4", "bearer_token": bearer],
            ]
            if let type { key["kty"] = type }
            if let operations { key["key_ops"] = operations }
            var root: [String: Any] = ["key": key, "claims": claims]
            if let derivation { root["key_derivation"] = derivation }
            return try scratch.write("\(name).json", try JSONSerialization.data(withJSONObject: root)).path
        }

        /// Releases the key into a file with `key release`, and reads it.
        func release(_ name: String, from host: String) throws -> [String: String] {
            let file = scratch.directory.appending(path: "\(name)-\(UUID().uuidString).jwk")
            let result = try key(["release", name, "--store", host, "--output", file.path])
            #expect(result.status == 0, "\(result.errors)")
            let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let object = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any] ?? [:]
            return object.compactMapValues { $0 as? String }
        }
    }

    private static let vault = ("akv", LocalAzure.vault)
    private static let hsm = ("mhsm", LocalAzure.managedHSM)

    private static func bytes(_ base64URL: String?) -> Data {
        let text = (base64URL ?? "").replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: text + String(repeating: "=", count: (4 - text.count % 4) % 4)) ?? Data()
    }

    private static func hex(_ data: Data) -> String { data.map { String(format: "%02x", $0) }.joined() }

    @Test("the original's RSA form with derivation: the released key derives the very bytes that -out wrote") func rsaWithDerivation()
        throws
    {
        let world = try World()
        defer { world.stop() }
        let salt = "9b2f1c0d7e6a5b4c3d2e1f00112233445566778899aabbccddeeff0123456789"
        for (name, label) in [("derive", "Symmetric Encryption Key"), ("labelled", "Another label")] {
            var derivation = ["salt": salt]
            if name == "labelled" { derivation["label"] = label }
            let config = try world.importConfig(
                name, type: "RSA-HSM", store: Self.vault, operations: ["encrypt", "decrypt"], derivation: derivation)
            let file = world.scratch.directory.appending(path: "\(name).bin")
            let result = try world.key(["import", "-c", config, "-out", "--symmetric-key-file", file.path])
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.text.contains("imported https://\(LocalAzure.vault)/keys/\(name)/"))
            #expect(result.text.contains("x-ms-sevsnpvm-is-debuggable"))
            let written = try Data(contentsOf: file)
            #expect(written.count == 32)
            #expect(try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int == 0o600)

            let released = try world.release(name, from: LocalAzure.vault)
            #expect(released["kty"] == "RSA")
            // RFC 5869 by hand over the openssl command's HMAC: PRK = HMAC(salt, d), OKM = HMAC(PRK, label | 0x01).
            let prk = try hmac(Self.bytes(released["d"]), keyHex: salt, world)
            let okm = try hmac(Data(label.utf8) + [1], keyHex: Self.hex(prk), world)
            #expect(okm == written, "\(label)")
        }
    }

    private func hmac(_ message: Data, keyHex: String, _ world: World) throws -> Data {
        let input = try world.scratch.write("message", message)
        return try world.openssl(["dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:\(keyHex)", "-binary", input.path]).output
    }

    @Test("the older form without kty: a new oct key, and given ones from hex text and from a file") func symmetric() throws {
        let world = try World()
        defer { world.stop() }
        let made = world.scratch.directory.appending(path: "made.bin")
        let config = try world.importConfig("made", type: nil, store: Self.hsm)
        let result = try world.key(["import", "-c", config, "-out", "--symmetric-key-file", made.path, "--json"])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.object["kty"] as? String == "oct-HSM")
        #expect(Self.bytes(try world.release("made", from: LocalAzure.managedHSM)["k"]) == (try Data(contentsOf: made)))

        let given = Data((0..<48).map { UInt8($0) })
        let file = try world.scratch.write("given.bin", given)
        for (name, value) in [("hextext", Self.hex(given)), ("keyfile", file.path)] {
            let config = try world.importConfig(name, type: "oct-HSM", store: Self.hsm)
            let result = try world.key(["import", "-c", config, "-kh", value])
            #expect(result.status == 0, "\(result.errors)")
            #expect(Self.bytes(try world.release(name, from: LocalAzure.managedHSM)["k"]) == given)
        }
    }

    @Test("C6: a key on the command line is warned of; standard input takes it as text or bytes") func keyOnStandardInput() throws {
        let world = try World()
        defer { world.stop() }
        let given = Data((0..<32).map { UInt8(0x80 + $0) })
        let warning = "list of processes"
        let shown = try world.importConfig("shown", type: "oct-HSM", store: Self.hsm)
        #expect(try world.key(["import", "-c", shown, "-kh", Self.hex(given)]).errors.contains(warning))
        for (name, input) in [("text", Data((Self.hex(given) + "\n").utf8)), ("bytes", given)] {
            let config = try world.importConfig(name, type: "oct-HSM", store: Self.hsm)
            let result = try Program.run(
                ["key", "import", "-c", config, "-kh", "-", "--config", world.configuration], input: input)
            #expect(result.status == 0 && !result.errors.contains(warning), "\(result.errors)")
            #expect(Self.bytes(try world.release(name, from: LocalAzure.managedHSM)["k"]) == given)
        }
    }

    @Test("EC keys, given and generated, and an RSA key in PKCS#1") func pairs() throws {
        let world = try World()
        defer { world.stop() }
        let pem = world.scratch.directory.appending(path: "ec.pem").path
        _ = try world.openssl(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", pem])
        let text = try world.openssl(["pkey", "-in", pem, "-noout", "-text"]).text
        let digits = text.split(separator: "priv:")[1].split(separator: "pub:")[0].filter(\.isHexDigit)
        for (member, host) in [Self.vault, Self.hsm] {
            let config = try world.importConfig("curve", type: "EC-HSM", store: (member, host))
            #expect(try world.key(["import", "-c", config, "-kp", pem]).status == 0)
            let released = try world.release("curve", from: host)
            #expect(released["crv"] == "P-384")
            #expect(Self.hex(Self.bytes(released["d"])) == String(digits.suffix(96)))
        }

        let made = world.scratch.directory.appending(path: "made.pem").path
        let config = try world.importConfig("newcurve", type: "EC-HSM", store: Self.vault)
        let result = try world.key(["import", "-c", config, "--curve", "P-521", "--private-key-file", made])
        #expect(result.status == 0, "\(result.errors)")
        #expect(try FileManager.default.attributesOfItem(atPath: made)[.posixPermissions] as? Int == 0o600)
        #expect(try world.release("newcurve", from: LocalAzure.vault)["crv"] == "P-521")
        #expect(try world.openssl(["pkey", "-in", made, "-noout", "-check"]).status == 0)

        let pkcs1 = world.scratch.directory.appending(path: "rsa.pem").path
        _ = try world.openssl(["genrsa", "-traditional", "-out", pkcs1, "2048"])
        let modulus = try world.openssl(["rsa", "-in", pkcs1, "-noout", "-modulus"]).text
        let rsa = try world.importConfig("pkcs1", type: "RSA-HSM", store: Self.hsm)
        #expect(try world.key(["import", "-c", rsa, "-kp", pkcs1]).status == 0)
        let released = Self.hex(Self.bytes(try world.release("pkcs1", from: LocalAzure.managedHSM)["n"]))
        #expect(modulus.lowercased().contains(released))
    }

    @Test("list and show say which keys are releasable, and on what terms") func inventory() throws {
        let world = try World()
        defer { world.stop() }
        let azure = try world.azure.get()
        try azure.importKey("kept", at: LocalAzure.vault, try SampleKeys.ec("P-256"), policy: nil, exportable: false)
        // More than one page of the store's list.
        for number in 0..<27 {
            let name = "key-\(number)"
            let pinned = LocalAzure.policy([["claim": "x-ms-sevsnpvm-hostdata", "equals": LocalAzure.hostData]])
            try azure.importKey(name, at: LocalAzure.vault, try SampleKeys.ec("P-256"), policy: pinned)
        }
        // What lint calls an error is not called releasable.
        try azure.importKey("anybody", at: LocalAzure.vault, try SampleKeys.ec("P-256"), policy: LocalAzure.policy())
        let list = try world.key(["list", "--store", LocalAzure.vault])
        #expect(list.status == 0, "\(list.errors)")
        let lines = list.text.split(separator: "\n")
        #expect(lines.count == 29)
        #expect(lines.contains { $0.hasPrefix("anybody ") && $0.contains("faulty policy") && $0.contains("[admits-any-tenant]") })
        #expect(lines.contains { $0.hasPrefix("kept ") && $0.contains("not releasable") })
        #expect(lines.filter { $0.contains("releasable to https://\(LocalAzure.authority)") && $0.contains("is-debuggable") }.count == 27)
        let json = try world.key(["list", "--store", LocalAzure.vault, "--json"]).json as? [[String: Any]]
        #expect(json?.filter { $0["releasable"] as? Bool == true }.count == 27)

        let show = try world.key(["show", "key-3", "--store", LocalAzure.vault])
        for words in ["releasable", "can be changed", "https://\(LocalAzure.authority)", "equals \"false\""] {
            #expect(show.text.contains(words), "\(words): \(show.text)")
        }
        let missing = try world.key(["show", "nobody", "--store", LocalAzure.vault])
        #expect(missing.status == 1 && missing.errors.contains("KeyNotFound"))
    }

    @Test("the exit status tells the truth, and nothing is overwritten or sent where it should not go") func refusals() throws {
        let world = try World()
        defer { world.stop() }
        let good = try world.importConfig("good", type: "oct-HSM", store: Self.hsm)
        func status(_ arguments: [String], _ words: String) throws -> Int32 {
            let result = try world.key(arguments)
            #expect(result.errors.contains(words), "\(arguments): \(result.errors)")
            #expect(result.text.isEmpty, "\(result.text)")
            return result.status
        }
        let taken = try world.scratch.write("taken.bin", "precious")
        #expect(try status(["import", "-c", good, "-out", "--symmetric-key-file", taken], "exists") == 64)
        #expect(try String(contentsOfFile: taken, encoding: .utf8) == "precious")

        let bearer = try world.importConfig("bearer", type: "oct-HSM", store: Self.hsm, bearer: "no-such-token")
        #expect(try status(["import", "-c", bearer], "answered 401") == 2)
        // -a takes the machine's identity instead.
        #expect(try world.key(["import", "-c", bearer, "-a"]).status == 0)

        let foreign = try world.importConfig("foreign", type: "oct-HSM", store: ("akv", "vault.azure.net.evil.example"))
        #expect(try status(["import", "-c", foreign], "nothing was sent there") == 64)
        let noOct = try world.importConfig("nooct", type: "oct-HSM", store: Self.vault)
        #expect(try status(["import", "-c", noOct], "answered 400") == 1)
        let unknown = try world.importConfig("unknown", type: "AES", store: Self.hsm)
        #expect(try status(["import", "-c", unknown], "key.kty") == 78)
        let empty = try world.importConfig("empty", type: "oct-HSM", store: Self.hsm, claims: [])
        #expect(try status(["import", "-c", empty], "claims") == 78)
        #expect(try status(["import", "-c", good, "-kp", taken], "oct-HSM") == 64)
        let rsa = try world.importConfig("rsa", type: "RSA-HSM", store: Self.vault)
        #expect(try status(["import", "-c", rsa, "-kp", taken], "PEM") == 2)
        #expect(try status(["import", "-c", rsa, "-kh", "00"], "RSA-HSM") == 64)
        #expect(try status(["import", "-c", "/no/such/file"], "No such file") == 2)

        let hostData = [["claim": "x-ms-sevsnpvm-hostdata", "equals": String(repeating: "11", count: 32)]]
        let denied = try world.importConfig("denied", type: "oct-HSM", store: Self.hsm, claims: [hostData])
        #expect(try world.key(["import", "-c", denied]).status == 0)
        #expect(try status(["release", "denied", "--store", LocalAzure.managedHSM], "why:") == 1)
        #expect(try status(["release", "a/b", "--store", LocalAzure.managedHSM], "NAME/VERSION") == 64)
    }

    @Test("case 17: cause and next steps of the action reach each command") func causes() throws {
        let world = try World(["--deny", "import", "--deny", "list"])
        defer { world.stop() }
        let config = try world.importConfig("denied", type: "EC-HSM", store: Self.vault)
        let denied = try world.key(["import", "-c", config])
        #expect(denied.status == 1 && denied.errors.contains("keys/import/action"), "\(denied.errors)")
        #expect(denied.errors.contains("why:") && !denied.errors.contains("Release User") && !denied.errors.contains("{"))
        let list = try world.key(["list", "--store", LocalAzure.managedHSM])
        #expect(list.status == 1 && list.errors.contains("managedHsm/keys/read/action"), "\(list.errors)")
        let missing = try world.key(["show", "nobody", "--store", LocalAzure.vault])
        #expect(missing.status == 1 && missing.errors.contains("  next: "), "\(missing.errors)")
    }

    @Test("case 18: access tokens from a file, standard input, the variable; the wrong one is said before it is sent") func tokens() throws
    {
        let world = try World()
        defer { world.stop() }
        let azure = try world.azure.get()
        let token = try azure.token("https://managedhsm.azure.net")
        let file = try world.scratch.write("token.json", #"{"accessToken":"\#(token)","tokenType":"Bearer"}"#)
        // A configuration without any identity.
        func run(_ arguments: [String], _ environment: [String: String] = [:], input: Data? = nil) throws -> Program.Result {
            try Program.run(
                ["key"] + arguments + ["--config", world.configuration, "--set", "identity.use=none"], environment: environment,
                input: input)
        }
        let list = ["list", "--store", LocalAzure.managedHSM]
        #expect(try run(list + ["--access-token-file", file]).status == 0)
        #expect(try run(list + ["--access-token-file", "-"], input: Data("Bearer \(token)\n".utf8)).status == 0)
        #expect(try run(list, ["BROKER_ACCESS_TOKEN": token]).status == 0)
        let config = try world.importConfig("own", type: "oct-HSM", store: Self.hsm, bearer: token)
        #expect(try run(["import", "-c", config]).status == 0)
        let release = try run(["release", "https://CONTOSO.managedhsm.azure.net/keys/OWN", "--access-token-file", file])
        #expect(release.status == 0 && release.text.contains("/keys/own/"), "\(release.errors)")

        let none = try run(list)
        #expect(none.status == 2 && none.errors.contains("az account get-access-token --resource https://managedhsm.azure.net"))
        let wrong = try run(list, ["BROKER_ACCESS_TOKEN": try azure.token("https://vault.azure.net")])
        #expect(wrong.status == 2 && wrong.errors.contains("the access token is for https://vault.azure.net"), "\(wrong.errors)")
        #expect(
            try run(["show", "own", "--store", LocalAzure.vault, "--access-token-file", file]).errors.contains(
                "takes those for https://vault"))
    }

    @Test("imported without a configuration file; lint's errors stop it") func withoutFile() throws {
        let world = try World()
        defer { world.stop() }
        let sound = try world.scratch.write(
            "sound.json",
            String(decoding: try JSONSerialization.data(withJSONObject: LocalAzure.policy([LocalAzure.sound[2]])), as: UTF8.self))
        let arguments = [
            "import", "--kty", "EC-HSM", "--name", "MixedCaseKey", "--store", LocalAzure.vault, "--key-ops", "sign", "--policy",
        ]
        let made = try world.key(arguments + [sound, "--json"])
        #expect(made.status == 0, "\(made.errors)")
        #expect((made.object["kid"] as? String)?.hasPrefix("https://\(LocalAzure.vault)/keys/MixedCaseKey/") == true)
        // Case 13: asked for in another case.
        #expect(try world.key(["show", "mixedcasekey", "--store", LocalAzure.vault]).status == 0)
        #expect(try world.release("mixedcasekey", from: LocalAzure.vault)["kty"] == "EC")
        #expect(try world.key(["import", "--kty", "EC-HSM", "--policy", sound]).status == 64)

        let claim = "x-ms-sevsnpvm-hostdata"
        for (name, clauses, rule) in [
            ("typo", [["claim": "x-ms-sevsnpvm-hostdatta", "equals": LocalAzure.hostData]], "unknown-claim"),
            (
                "never",
                [["claim": claim, "equals": LocalAzure.hostData], ["claim": claim, "equals": String(repeating: "11", count: 32)]],
                "contradiction"
            ), ("anybody", [], "admits-any-tenant"),
        ] {
            let file = try world.scratch.write(
                "\(name).json", String(decoding: try JSONSerialization.data(withJSONObject: LocalAzure.policy(clauses)), as: UTF8.self))
            let import_ = ["import", "--kty", "EC-HSM", "--name", name, "--store", LocalAzure.vault, "--policy", file]
            let stopped = try world.key(import_)
            #expect(
                stopped.status == 1 && stopped.errors.contains("[\(rule)]") && stopped.errors.contains("--allow \(rule)"),
                "\(stopped.errors)")
            #expect(try world.key(["show", name, "--store", LocalAzure.vault]).status == 1)
        }
        let anybody = world.scratch.directory.appending(path: "anybody.json").path
        let allowed = ["import", "--kty", "EC-HSM", "--name", "anybody", "--store", LocalAzure.vault, "--policy", anybody]
        #expect(try world.key(allowed + ["--allow", "admits-any-tenant"]).status == 0)
        #expect(try world.key(["show", "anybody", "--store", LocalAzure.vault]).text.contains("faulty policy"))
    }
}
