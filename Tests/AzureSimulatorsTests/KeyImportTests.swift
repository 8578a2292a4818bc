import AzureSimulators
import HTTPTransport
import OpenSSLCrypto
import SecureMemory
import StrictJSON
import Testing

struct KeyImportTests {
    /// A private JWK of a new key, and its public half.
    private static func rsaJWK(_ kty: String = "RSA-HSM") throws -> JSONObject {
        let key = try PrivateKey.generateRSA(bits: 2048)
        let numbers = try PrivateKeyNumbers(key)
        var jwk: JSONObject = [
            "kty": .string(kty), "n": .string(Base64.encodeURL(numbers.rsaPublic?.n ?? [])),
            "e": .string(Base64.encodeURL(numbers.rsaPublic?.e ?? [])),
        ]
        for name in ["d", "p", "q", "dp", "dq", "qi"] {
            jwk.set(name, .string(numbers.withNumber(name) { Base64.encodeURL(Array($0)) } ?? ""))
        }
        return jwk
    }

    private static func curveJWK(_ curve: EllipticCurve) throws -> JSONObject {
        let numbers = try PrivateKeyNumbers(try PrivateKey.generateEC(curve))
        return [
            "kty": "EC-HSM", "crv": .string(curve.rawValue), "x": .string(Base64.encodeURL(numbers.ecPublic?.x ?? [])),
            "y": .string(Base64.encodeURL(numbers.ecPublic?.y ?? [])),
            "d": .string(numbers.withNumber("d") { Base64.encodeURL(Array($0)) } ?? ""),
        ]
    }

    private func put(_ cloud: Cloud, _ host: String, _ body: JSONObject) async throws -> Answer {
        try await cloud.send(.put, host, "/keys/k1?api-version=7.4", json: .object(body), bearer: cloud.bearer(host))
    }

    private func exportableImport(_ key: JSONObject) -> JSONObject {
        ["key": .object(key), "hsm": true, "attributes": ["exportable": true], "release_policy": .object(releasePolicy())]
    }

    @Test("imported keys come out of a release as they went in", arguments: ["RSA-HSM", "P-256", "P-384", "P-521", "oct-HSM"])
    func roundTrip(_ kind: String) async throws {
        try await Cloud.run(Guest.trust) { cloud in
            let host = kind == "oct-HSM" ? Cloud.managedHSM : Cloud.vault
            let secret = SecureRandom.bytes(32)
            let jwk: JSONObject =
                switch kind {
                case "RSA-HSM": try Self.rsaJWK()
                case "oct-HSM":
                    // Microsoft's tool adds key_size, its test helper pads.
                    ["kty": "oct-HSM", "k": .string(Base64.encode(secret)), "key_size": 256]
                default: try Self.curveJWK(try #require(EllipticCurve(rawValue: kind)))
                }
            let answer = try await put(cloud, host, exportableImport(jwk))
            #expect(answer.status == 200, "\(answer.message) \(answer.explanation)")
            #expect(try answer.json.member("attributes").boolean("exportable"))
            #expect(try answer.json.member("key").object()["k"] == nil)
            let wrappingKey = try WrappingKey.generate(bits: 2048)
            let token = try await Guest(wrappingKey).token(cloud)
            let released = try ReleasedAnswer(
                try await cloud.send(
                    .post, host, "/keys/k1/release?api-version=7.4", json: ["target": .string(token)], bearer: cloud.bearer(host)),
                host: host, caFile: cloud.caFile)
            let opened = try wrappingKey.unwrap(released.ciphertext, using: .ckmRSAAESKeyWrap)
            if kind == "oct-HSM" {
                #expect(opened.withUnsafeBytes { Array($0) } == secret)
            } else {
                let numbers = try PrivateKeyNumbers(pkcs8DER: opened)
                #expect(numbers.withNumber("d") { Base64.encodeURL(Array($0)) } == jwk.at("d"))
            }
        }
    }

    @Test("what clients write differently is understood") func tolerance() async throws {
        try await Cloud.run { cloud in
            // A leading zero byte in the modulus, `Hsm` in capitals, hsm for a plain RSA key.
            var jwk = try Self.rsaJWK("RSA")
            let modulus = try #require(Base64.decodeURL(jwk.at("n") ?? ""))
            jwk.set("n", .string(Base64.encodeURL([0] + modulus)))
            let vault = try await put(cloud, Cloud.vault, ["key": .object(jwk), "Hsm": true])
            #expect(vault.status == 200, "\(vault.message)")
            #expect(try vault.json.member("key").string("kty") == "RSA-HSM")
            #expect(try vault.json.member("key").string("n") == Base64.encodeURL(modulus))
            // The HSM needs no flag.
            let hsm = try await put(cloud, Cloud.managedHSM, ["key": .object(jwk)])
            #expect(try hsm.json.member("key").string("kty") == "RSA-HSM")
            // Operations that were not named are all allowed.
            #expect(try hsm.json.member("key").array("key_ops").count == 6)
        }
    }

    @Test("keys that are none are refused") func refused() async throws {
        try await Cloud.run { cloud in
            var swapped = try Self.rsaJWK()
            swapped.set("p", swapped["q"] ?? .null)
            var otherModulus = try Self.rsaJWK()
            otherModulus.set("n", try Self.rsaJWK()["n"] ?? .null)
            var offCurve = try Self.curveJWK(.p256)
            offCurve.set("y", offCurve["x"] ?? .null)
            var otherPoint = try Self.curveJWK(.p256)
            otherPoint.set("d", try Self.curveJWK(.p256)["d"] ?? .null)
            var missing = try Self.rsaJWK()
            missing.remove("d")
            var garbage = try Self.rsaJWK()
            garbage.set("d", "###")
            var huge = try Self.rsaJWK()
            huge.set("n", .string(Base64.encodeURL([UInt8](repeating: 0xFF, count: 100_000))))
            let wrapped: JSONObject = ["kty": "RSA-HSM", "key_hsm": "eyJ9"]
            for (jwk, status) in [
                (swapped, 400), (otherModulus, 400), (offCurve, 400), (otherPoint, 400), (missing, 400), (garbage, 400), (huge, 400),
                (["kty": "oct", "k": "AAAA"], 400), (wrapped, 501), ([:], 400), (["kty": "EC-HSM", "crv": "P-224"], 400),
            ] {
                let answer = try await put(cloud, Cloud.vault, exportableImport(jwk))
                #expect(answer.status == status, "\(jwk.keys)")
            }
            let large = Base64.encodeURL([UInt8](repeating: 1, count: 65))
            let tooLarge = try await put(cloud, Cloud.managedHSM, exportableImport(["kty": "oct-HSM", "k": .string(large)]))
            #expect(tooLarge.message.hasPrefix("JSON Web Key: k property of oct key is too large, maximum size is 64"))
            let empty = try await put(cloud, Cloud.managedHSM, exportableImport(["kty": "oct-HSM", "k": ""]))
            #expect(empty.status == 400)
            let software = try await put(
                cloud, Cloud.vault,
                ["key": .object(try Self.rsaJWK("RSA")), "attributes": ["exportable": true], "release_policy": .object(releasePolicy())])
            #expect(software.message.hasPrefix("AKV.SKR.1006"))
            #expect(try await put(cloud, Cloud.vault, ["key": .object(try Self.rsaJWK())]).status == 200)
            let changed = try await put(cloud, Cloud.vault, exportableImport(try Self.rsaJWK()))
            #expect(changed.message.hasPrefix("AKV.SKR.1003"))
        }
    }
}
