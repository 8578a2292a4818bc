import Foundation
import Testing

/// Simulators, broker and curl as three kinds of process, over real sockets.
@Suite(.serialized) struct ReleaseTests {
    @Test("the same key from either store, with one line of difference, and every key type") func everyKeyType() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let rsa = try SampleKeys.rsa()
        var keys: [(name: String, jwk: [String: Any], hsmOnly: Bool)] = [("rsa", rsa, false)]
        for curve in ["P-256", "P-384", "P-521"] { keys.append(("ec-\(curve)", try SampleKeys.ec(curve), false)) }
        for count in [16, 32, 64] { keys.append(("oct-\(count)", SampleKeys.oct(count), true)) }
        for (name, jwk, hsmOnly) in keys {
            let stores = hsmOnly ? [LocalAzure.managedHSM] : [LocalAzure.vault, LocalAzure.managedHSM]
            for host in stores {
                let answer = try azure.importKey(name, at: host, jwk, policy: LocalAzure.policy())
                #expect(answer.status == 200, "\(name) at \(host): \(answer.object)")
            }
        }
        for use in ["akv", "mhsm"] {
            let broker = try azure.serve(["key-stores.use=\(use)"])
            for (name, jwk, hsmOnly) in keys where use == "mhsm" || !hsmOnly {
                let release = try broker.release(name)
                #expect(release.status == 200, "\(use) \(name): \(release.answer)")
                for (member, value) in jwk where !["kty", "key_ops", "key_size"].contains(member) {
                    #expect(release.key?[member] as? String == value as? String, "\(use) \(name): \(member)")
                }
                #expect(release.key?["kty"] as? String == (jwk["kty"] as? String)?.replacing("-HSM", with: ""))
            }
            #expect(broker.program.stop() == 0)
        }
    }

    @Test("every denial has the original's status and names its stage") func denials() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let key = SampleKeys.oct(32)
        let host = LocalAzure.managedHSM
        try azure.importKey("good", at: host, key, policy: LocalAzure.policy())
        try azure.importKey(
            "other-host-data", at: host, key,
            policy: LocalAzure.policy([["claim": "x-ms-sevsnpvm-hostdata", "equals": String(repeating: "00", count: 32)]]))
        try azure.importKey("other-authority", at: host, key, policy: LocalAzure.policy(authority: "sharedneu.neu.attest.azure.net"))
        #expect(try azure.importKey("not-exportable", at: host, key, policy: nil, exportable: false).status == 200)

        let broker = try azure.serve(["key-stores.use=mhsm"])
        #expect(try broker.release("good").status == 200)
        for (name, extra, code, stage) in [
            ("other-host-data", [:], "releaseDenied", "release"), ("other-authority", [:], "releaseDenied", "release"),
            ("missing", [:], "keyNotFound", "release"), ("not-exportable", [:], "releaseDenied", "release"),
            ("good", ["access_token": "bad"], "identityFailed", "identity"),
        ] as [(String, [String: Any], String, String)] {
            let release = try broker.release(name, at: nil, extra)
            #expect(release.status == 403, "\(name): \(release.answer)")
            #expect(release.code == code && release.stage == stage, "\(name): \(release.answer)")
            #expect(release.error.hasPrefix("secure key release failed: "), "\(name): \(release.error)")
            #expect(release.key == nil)
        }
        broker.program.stop()

        let debuggable = try azure.serve(["key-stores.use=mhsm", "evidence.fixture.debug=true"])
        let denied = try debuggable.release("good")
        #expect(denied.status == 403 && denied.code == "releaseDenied" && denied.stage == "release", "\(denied.answer)")
        debuggable.program.stop()
    }

    @Test("a named endpoint that is not a store's is refused before anything is sent, and a bad kid is a 400") func namedEndpoints() throws
    {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let broker = try azure.serve()
        for (endpoint, status) in [
            ("contoso.vault.azure.net.evil.example", 403), ("contoso.vault.azure.net/x?", 400), ("user@contoso.vault.azure.net", 400),
            ("127.0.0.1", 400), ("[::1]", 400), ("fabrikam.vault.azure.net", 403), ("x.contoso.vault.azure.net", 403),
        ] {
            let release = try broker.release("good", at: endpoint)
            #expect(release.status == status, "\(endpoint): \(release.answer)")
        }
        for kid in [
            "../secrets/x", "a/b", "a?b", "", "k/0123", String(repeating: "k", count: 128), "k/" + String(repeating: "g", count: 32),
        ] { #expect(try broker.release(kid).status == 400, "\(kid)") }
        #expect(broker.program.stop() == 0)
        #expect(!broker.program.output.contains("secrets"))
    }

    @Test(
        "without a device no endpoint returns a report",
        .enabled(if: !FileManager.default.fileExists(atPath: "/dev/sev-guest"), "this machine has a guest device")) func noDevice() throws
    {
        let broker = try Broker(["serve", "--set", "server.http=127.0.0.1:0", "--set", "evidence.use=snp"])
        #expect(try broker.get("/status").status == 200)
        let ready = try broker.get("/readyz")
        #expect(ready.status == 503)
        #expect((ready.object["reasons"] as? [String])?.contains { $0.hasPrefix("snp:") } == true)
        for (path, body) in [
            ("/attest/raw", ["runtime_data": "aGVsbG8="]), ("/attest/combined", ["runtime_data": "aGVsbG8="]),
            ("/attest/maa", ["runtime_data": "e30=", "maa_endpoint": LocalAzure.authority]),
            ("/key/release", ["kid": "k", "maa_endpoint": LocalAzure.authority, "akv_endpoint": LocalAzure.vault]),
        ] {
            let answer = try broker.post(path, body)
            #expect(answer.status == 403 && answer.object["code"] as? String == "evidenceUnavailable", "\(path): \(answer)")
            #expect(answer.object["report"] == nil && answer.object["token"] == nil)
        }
        #expect(broker.program.stop() == 0)
    }

    @Test("fixture evidence is announced in log, readiness and status; SIGTERM ends with 0") func fixtureIsAnnounced() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let broker = try azure.serve()
        #expect(try broker.get("/status").object as? [String: String] == ["message": "Status OK", "evidence": "fixture"])
        #expect(try broker.get("/readyz").object["evidence"] as? String == "fixture")
        #expect(broker.program.stop() == 0)
        #expect(broker.program.output.contains("fixture evidence proves nothing"))
        #expect(broker.program.output.contains("connect-to"))
    }
}

/// Key material made by OpenSSL's own program, so that the numbers are not ours.
enum SampleKeys {
    static func oct(_ count: Int) -> [String: Any] {
        let bytes = Data((0..<count).map { _ in UInt8.random(in: 0...255) })
        return ["kty": "oct-HSM", "k": bytes.base64URL, "key_size": count * 8]
    }

    static func rsa(bits: Int = 2048) throws -> [String: Any] {
        let numbers = try numbers(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:\(bits)"])
        var jwk: [String: Any] = ["kty": "RSA-HSM", "e": "AQAB"]
        for (name, label) in [
            ("n", "modulus"), ("d", "privateExponent"), ("p", "prime1"), ("q", "prime2"), ("dp", "exponent1"), ("dq", "exponent2"),
            ("qi", "coefficient"),
        ] { jwk[name] = Data((numbers[label] ?? []).drop { $0 == 0 }).base64URL }
        return jwk
    }

    static func ec(_ curve: String) throws -> [String: Any] {
        let numbers = try numbers(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:\(curve)"])
        let size = ["P-256": 32, "P-384": 48, "P-521": 66][curve] ?? 0
        let point = (numbers["pub"] ?? []).dropFirst()
        let d = (numbers["priv"] ?? []).drop { $0 == 0 }
        return [
            "kty": "EC-HSM", "crv": curve, "x": Data(point.prefix(size)).base64URL, "y": Data(point.suffix(size)).base64URL,
            "d": Data([UInt8](repeating: 0, count: size - d.count) + d).base64URL,
        ]
    }

    /// The numbers that `openssl pkey -text` prints, by their label.
    private static func numbers(_ generate: [String]) throws -> [String: [UInt8]] {
        let openssl = URL(filePath: "/usr/bin/openssl")
        let key = try Program.run(generate, executable: openssl)
        let text = try Program.run(["pkey", "-text", "-noout"], input: key.output, executable: openssl).text
        var result: [String: [UInt8]] = [:]
        var label = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix(" ") {
                result[label, default: []] += line.split(separator: ":").compactMap {
                    UInt8($0.trimmingCharacters(in: .whitespaces), radix: 16)
                }
            } else {
                label = String(line.prefix { $0 != ":" })
            }
        }
        return result
    }
}
