import AzureSimulators
import HTTPTransport
import OpenSSLCrypto
import SecureMemory
import StrictJSON
import Testing

/// Secure wrap and unwrap of a Managed HSM.
struct SecureWrapTests {
    private static let version = "2026-04-01"

    private static func wrappingKey(_ kty: String, _ extra: JSONObject = [:], policy: JSONObject? = releasePolicy()) -> JSONObject {
        var body: JSONObject = ["kty": .string(kty), "key_ops": ["secureWrapKey", "secureUnwrapKey"]]
        if let policy { body.set("release_policy", .object(policy)) }
        for member in extra { body.set(member.key, member.value) }
        return body
    }

    private static func ask(_ cloud: Cloud, _ path: String, _ body: JSONObject, host: String = Cloud.managedHSM, version: String = version)
        async throws -> Answer
    {
        try await cloud.send(.post, host, "\(path)?api-version=\(version)", json: .object(body), bearer: cloud.bearer(host))
    }

    @Test("what the HSM wrapped comes back for a guest that the policy admits") func roundTrip() async throws {
        try await Cloud.run(Guest.trust) { cloud in
            let token = try await Guest(try WrappingKey.generate(bits: 2048)).token(cloud)
            var sizes: [String: Int64] = ["RSA-OAEP-256": 2048]
            for bits in [Int64(128), 192, 256] {
                sizes["A\(bits)KW"] = bits
                sizes["A\(bits)KWPAD"] = bits
            }
            (sizes["CKM_AES_KEY_WRAP"], sizes["CKM_AES_KEY_WRAP_PAD"]) = (128, 256)
            for (algorithm, bits) in sizes {
                let name = "k" + algorithm.filter { $0 != "_" }
                let kty = algorithm.hasPrefix("RSA") ? "RSA-HSM" : "oct-HSM"
                let made = try await Self.ask(cloud, "/keys/\(name)/create", Self.wrappingKey(kty, ["key_size": .integer(bits)]))
                #expect(made.status == 200, "\(made.message)")
                #expect(try made.json.member("attributes").boolean("exportable") == false)
                #expect(try made.json.member("release_policy").string("data").isEmpty == false)
                // Clients leave the version empty.
                let wrapped = try await Self.ask(cloud, "/keys/\(name)//securewrapkey", ["alg": .string(algorithm)])
                #expect(wrapped.status == 200, "\(algorithm): \(wrapped.message) \(wrapped.explanation)")
                let kid = try wrapped.json.string("kid")
                #expect(try kid.hasPrefix("https://\(Cloud.managedHSM)/keys/\(name)/") && wrapped.json.string("alg") == algorithm)
                let value = try wrapped.json.string("value")
                let length = try #require(Base64.decodeURL(value)?.count)
                #expect(length == (kty == "RSA-HSM" ? 256 : 40))
                let path = String(kid.dropFirst("https://\(Cloud.managedHSM)".count)) + "/secureunwrapkey"
                let body: JSONObject = ["alg": .string(algorithm), "value": .string(value), "target": .string(token)]
                let opened = try await Self.ask(cloud, path, body)
                #expect(opened.status == 200, "\(algorithm): \(opened.message) \(opened.explanation)")
                #expect(try Base64.decodeURL(opened.json.string("value"))?.count == 32)
                #expect(try await Self.ask(cloud, path, body).json.string("value") == opened.json.string("value"))
                let damaged: JSONObject = [
                    "alg": .string(algorithm), "value": .string(value.dropLast(8) + "AAAAAAAA"), "target": .string(token),
                ]
                #expect(try await Self.ask(cloud, path, damaged).status == 400)
            }
        }
    }

    @Test("a key for secure wrap has a policy and is not exportable") func terms() async throws {
        try await Cloud.run { cloud in
            for (host, body, version) in [
                (Cloud.managedHSM, Self.wrappingKey("RSA-HSM", ["attributes": ["exportable": true]]), Self.version),
                (Cloud.managedHSM, Self.wrappingKey("RSA-HSM", policy: nil), Self.version),
                (Cloud.managedHSM, Self.wrappingKey("RSA-HSM"), "7.6"), (Cloud.vault, Self.wrappingKey("RSA-HSM"), Self.version),
            ] {
                let answer = try await Self.ask(cloud, "/keys/k/create", body, host: host, version: version)
                #expect(answer.status == 400 && answer.code == "BadParameter", "\(answer.message)")
            }
            // The rules of keys that can be exported hold on.
            let plain = try await Self.ask(
                cloud, "/keys/k/create", ["kty": "RSA-HSM", "release_policy": .object(releasePolicy())])
            #expect(plain.message.hasPrefix("Non-exportable keys must not have release policy"))
            #expect(try await Self.ask(cloud, "/keys/k/create", Self.wrappingKey("RSA-HSM")).status == 200)
            let again = try await Self.ask(cloud, "/keys/k/create", Self.wrappingKey("RSA-HSM", policy: nil))
            #expect(again.status == 200, "a new version keeps the key's policy: \(again.message)")
            let changed = try await cloud.send(
                .patch, Cloud.managedHSM, "/keys/k?api-version=\(Self.version)",
                json: ["release_policy": .object(releasePolicy([("x-ms-sevsnpvm-vmpl", "0")]))], bearer: cloud.bearer(Cloud.managedHSM))
            #expect(changed.status == 200, "\(changed.message)")
        }
    }

    @Test("requests against the rules are refused in the order of the service") func refused() async throws {
        try await Cloud.run(Guest.trust) { cloud in
            let token = try await Guest(try WrappingKey.generate(bits: 2048)).token(cloud)
            try await cloud.simulators.createKey("plain", at: Cloud.managedHSM, exportable("RSA-HSM"), apiVersion: Self.version)
            try await cloud.simulators.createKey("k", at: Cloud.managedHSM, Self.wrappingKey("RSA-HSM"), apiVersion: Self.version)
            let strict = releasePolicy([("x-ms-sevsnpvm-is-debuggable", "true")])
            try await cloud.simulators.createKey(
                "strict", at: Cloud.managedHSM, Self.wrappingKey("RSA-HSM", policy: strict), apiVersion: Self.version)
            let alg: JSONObject = ["alg": "RSA-OAEP-256"]
            func value(_ name: String) async throws -> JSONObject {
                let wrapped = try await Self.ask(cloud, "/keys/\(name)//securewrapkey", alg)
                return ["alg": "RSA-OAEP-256", "value": .string(try wrapped.json.string("value")), "target": .string(token)]
            }
            var forged = try await value("k")
            forged.set("target", .string(token.dropLast(8) + "AAAAAAAA"))
            for (path, body, status, text) in [
                ("/keys/k//securewrapkey", ["alg": "RSA-OAEP"], 400, "alg"), ("/keys/none//securewrapkey", ["alg": "RSA1_5"], 400, "alg"),
                ("/keys/none//securewrapkey", alg, 404, "none"), ("/keys/plain//securewrapkey", alg, 403, "secureWrapKey"),
                ("/keys/k//securewrapkey", ["alg": "A256KW"], 400, "alg"), ("/keys/k//secureunwrapkey", alg, 400, "value"),
                ("/keys/k//secureunwrapkey", ["alg": "RSA-OAEP-256", "value": "AAAA"], 400, "target"),
                ("/keys/k//secureunwrapkey", forged, 403, "attestation statement cannot be verified"),
                ("/keys/strict//secureunwrapkey", try await value("strict"), 403, "does not meet key release policy requirements"),
            ] {
                let answer = try await Self.ask(cloud, path, body)
                #expect(answer.status == status && answer.message.contains(text), "\(path) \(body): \(answer.status) \(answer.message)")
            }
            let early = try await Self.ask(cloud, "/keys/k//securewrapkey", alg, version: "7.6")
            #expect(early.status == 400)
            let vault = try await Self.ask(cloud, "/keys/k//securewrapkey", alg, host: Cloud.vault)
            #expect(vault.status == 400 && vault.explanation.contains("Managed HSMs"))
            cloud.simulators.deny(PermissionDenial([.unwrapKey]))
            let denied = try await Self.ask(cloud, "/keys/k//secureunwrapkey", try await value("k"))
            #expect(denied.status == 403 && denied.message.contains("Microsoft.KeyVault/managedHsm/keys/unwrap/action"))
        }
    }
}
