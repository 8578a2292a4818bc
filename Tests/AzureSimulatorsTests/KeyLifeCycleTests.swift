import AzureSimulators
import HTTPTransport
import OpenSSLCrypto
import StrictJSON
import Testing

struct KeyLifeCycleTests {
    @Test("create answers with the public key and the policy as the service writes it") func create() async throws {
        try await Cloud.run { cloud in
            let sent = #"{"anyOf":[{"allOf":[{"claim":"sdk-test","equals":"true"}],"authority":"https://a/"}],"version":"1.0"}"#
            // Standard base64 with padding, as Microsoft's test helper sends it.
            let policy: JSONObject = ["data": .string(Base64.encode(Array(sent.utf8)))]
            let returned = [
                Cloud.vault: #"{"version":"1.0","anyOf":[{"authority":"https://a/","allOf":[{"claim":"sdk-test","equals":"true"}]}]}"#,
                Cloud.managedHSM:
                    #"{"anyOf":[{"allOf":[{"claim":"sdk-test","equals":"true"}],"authority":"https://a/"}],"version":"1.0.0"}"#,
            ]
            for (host, text) in returned {
                let answer = try await cloud.send(
                    .post, host, "/keys/k1/create?api-version=7.3",
                    json: .object(exportable("RSA-HSM", policy, ["key_ops": ["encrypt", "decrypt"], "tags": ["a": "b"]])),
                    bearer: cloud.bearer(host))
                #expect(answer.status == 200, "\(answer.message)")
                let bundle = try answer.json
                let key = try bundle.member("key")
                #expect(try key.string("kty") == "RSA-HSM")
                #expect(try key.string("e") == "AQAB")
                #expect(try key.array("key_ops").map { try $0.string() } == ["encrypt", "decrypt"])
                #expect(try Base64.decodeURL(key.string("n"))?.count == 256)
                let kid = try key.string("kid")
                #expect(kid.hasPrefix("https://\(host)/keys/k1/"))
                let version = kid.split(separator: "/").last.map(String.init) ?? ""
                #expect(version.utf8.count == 32 && Hex.decode(version) != nil && version == version.lowercased())
                let attributes = try bundle.member("attributes")
                #expect(try attributes.boolean("exportable"))
                #expect(try attributes.integer("created") == Cloud.now)
                #expect(try attributes.integer("recoverableDays") == 7)
                #expect(try bundle.member("tags").string("a") == "b")
                let described = try bundle.member("release_policy")
                #expect(try described.string("contentType") == "application/json; charset=utf-8")
                #expect(try described.boolean("immutable") == false)
                let data = try #require(Base64.decodeURL(try described.string("data")))
                #expect(String(decoding: data, as: UTF8.self) == text)
                #expect(try key.object()["d"] == nil)
            }
        }
    }

    @Test("exponents can be written as the vault once did") func paddedExponent() async throws {
        try await Cloud.run({ $0.writesPaddedExponent = true }) { cloud in
            let vault = try await cloud.simulators.createKey("k", at: Cloud.vault, ["kty": "RSA"])
            #expect(try JSONCursor(.object(vault)).member("key").string("e") == "AAEAAQ")
            let hsm = try await cloud.simulators.createKey("k", at: Cloud.managedHSM, ["kty": "RSA"])
            #expect(try JSONCursor(.object(hsm)).member("key").string("e") == "AQAB")
            #expect(try JSONCursor(.object(hsm)).member("key").string("kty") == "RSA-HSM")
        }
    }

    /// Method, path and body of a request that is refused, with status and start of the message.
    struct Refusal: Sendable {
        let host: String
        let body: JSONObject
        let text: String
        var version = "7.4"
    }

    static let refusals: [Refusal] = [
        Refusal(
            host: Cloud.vault, body: ["kty": "RSA-HSM", "attributes": ["exportable": true]],
            text: "AKV.SKR.1004: Exportable keys must have release policy."),
        Refusal(
            host: Cloud.managedHSM, body: ["kty": "RSA-HSM", "attributes": ["exportable": true]],
            text: "Exportable keys must have release policy (Activity ID: "),
        Refusal(
            host: Cloud.vault, body: exportable("RSA-HSM", ["data": "version 1"]),
            text: "AKV.SKR.1004: Exportable keys must have release policy."),
        Refusal(
            host: Cloud.vault, body: ["kty": "RSA-HSM", "release_policy": .object(releasePolicy())],
            text: "AKV.SKR.1005: Non-exportable keys must not have release policy."),
        Refusal(
            host: Cloud.managedHSM, body: ["kty": "RSA-HSM", "release_policy": .object(releasePolicy())],
            text: "Non-exportable keys must not have release policy (Activity ID: "),
        Refusal(host: Cloud.vault, body: exportable("RSA"), text: "AKV.SKR.1006: "),
        Refusal(
            host: Cloud.vault, body: exportable("RSA-HSM"),
            text: "AKV.SKR.1001: The exportable attribute is only supported with premium vaults", version: "7.2"),
        Refusal(
            host: Cloud.managedHSM,
            body: exportable(
                "RSA-HSM",
                [
                    "data": .string(
                        Base64.encodeURL(Array(#"{"anyOf":[{"authority":"https://a","allOf":[{"claim":"b","equals":"c"}]}]}"#.utf8)))
                ]), text: "Key Release Policy: missing 'version' property", version: "7.4-preview.1"),
        Refusal(
            host: Cloud.vault,
            body: exportable("EC-HSM", ["data": .string(Base64.encodeURL(Array(#"{"version":"1.0.0","anyOf":[]}"#.utf8)))]),
            text: "Key Release Policy: "), Refusal(host: Cloud.vault, body: ["kty": "oct-HSM"], text: "Property has invalid value: kty"),
        Refusal(host: Cloud.vault, body: ["kty": "RSA", "key_size": 1024], text: "Property has invalid value: key_size"),
        Refusal(host: Cloud.vault, body: ["kty": "EC", "crv": "P-256K"], text: "Property has invalid value: crv"),
        Refusal(host: Cloud.vault, body: ["kty": "EC", "key_ops": ["release"]], text: "Property has invalid value: key_ops"),
        Refusal(host: Cloud.vault, body: [:], text: "Property has invalid value: kty"),
    ]

    @Test("requests against the rules get the service's own words") func refused() async throws {
        try await Cloud.run { cloud in
            for refusal in Self.refusals {
                let answer = try await cloud.send(
                    .post, refusal.host, "/keys/k1/create?api-version=\(refusal.version)", json: .object(refusal.body),
                    bearer: cloud.bearer(refusal.host))
                #expect(answer.status == 400)
                #expect(answer.code == "BadParameter")
                #expect(answer.message.hasPrefix(refusal.text), "\(answer.message)")
                let get = try await cloud.send(.get, refusal.host, "/keys/k1?api-version=7.4", bearer: cloud.bearer(refusal.host))
                #expect(get.status == 404)
            }
        }
    }

    @Test("get understands every path form") func get() async throws {
        try await Cloud.run { cloud in
            let first = try await cloud.simulators.createKey("Mixed-Case1", at: Cloud.vault, ["kty": "EC"])
            let second = try await cloud.simulators.createKey("Mixed-Case1", at: Cloud.vault, ["kty": "EC"])
            let old = try JSONCursor(.object(first)).member("key").string("kid")
            let new = try JSONCursor(.object(second)).member("key").string("kid")
            #expect(old != new)
            for (path, kid) in [
                ("/keys/Mixed-Case1", new), ("/keys/Mixed-Case1/", new), ("/keys/mixed-case1", new),
                ("/keys/Mixed-Case1/" + old.suffix(32), old), ("/keys/Mixed-Case1/\(old.suffix(32))/", old),
            ] {
                let answer = try await cloud.send(.get, Cloud.vault, path + "?api-version=7.4", bearer: cloud.bearer())
                #expect(answer.status == 200)
                #expect(try answer.json.member("key").string("kid") == kid)
            }
            let missing = try await cloud.send(
                .get, Cloud.vault, "/keys/Mixed-Case1/00000000000000000000000000000000?api-version=7.4", bearer: cloud.bearer())
            #expect(missing.status == 404)
            #expect(missing.message.contains("(name/id) Mixed-Case1/0000"))
            // Another vault of the same cloud is another vault.
            let other = try await cloud.send(.get, "fabrikam.vault.azure.net", "/keys/Mixed-Case1?api-version=7.4", bearer: cloud.bearer())
            #expect(other.status == 404)
        }
    }

    @Test("api-version is mandatory and must be known") func apiVersion() async throws {
        try await Cloud.run { cloud in
            for path in ["/keys/k1", "/keys/k1?api-version=", "/keys/k1?api-version=9.9"] {
                let answer = try await cloud.send(.get, Cloud.vault, path, bearer: cloud.bearer())
                #expect(answer.status == 400)
                #expect(answer.code == "BadParameter")
            }
            for name in ["k_1", "k%2e%2e", "a.b", String(repeating: "k", count: 128)] {
                let answer = try await cloud.send(.get, Cloud.vault, "/keys/\(name)?api-version=7.4", bearer: cloud.bearer())
                #expect(answer.status == 400, "\(name)")
            }
        }
    }

    @Test(
        "versions that clients of today send are served, and whatever comes after them",
        arguments: [
            "7.3", "7.6-preview.1", "2025-06-01-preview", "2025-07-01", "2026-01-01-preview", "2026-03-01-preview", "2026-04-01",
            "2026-05-01-preview", "2026-07-01-preview", "2026-07-01", "2027-01-15-preview", "2031-12-31",
        ]) func newVersions(_ version: String) async throws
    {
        try await Cloud.run(Guest.trust) { cloud in
            let made = try await cloud.send(
                .post, Cloud.vault, "/keys/k1/create?api-version=\(version)", json: .object(exportable("EC-HSM")), bearer: cloud.bearer())
            #expect(made.status == 200, "\(made.message)")
            let token = try await Guest(try WrappingKey.generate(bits: 2048)).token(cloud)
            let released = try await cloud.send(
                .post, Cloud.vault, "/keys/k1//release?api-version=\(version)", json: ["target": .string(token)], bearer: cloud.bearer())
            #expect(released.status == 200, "\(released.message)")
        }
    }

    @Test("text that is no version, and dates that were none", arguments: ["2026-06-01", "2026-7-1", "2027-01-01-beta", "latest", "8.0"])
    func noVersions(_ version: String) async throws {
        try await Cloud.run { cloud in
            let answer = try await cloud.send(.get, Cloud.vault, "/keys?api-version=\(version)", bearer: cloud.bearer())
            #expect(answer.status == 400)
        }
    }

    @Test("lists come in pages whose links work as they are") func lists() async throws {
        try await Cloud.run { cloud in
            for number in 0..<5 { try await cloud.simulators.createKey("k\(number)", at: Cloud.vault, exportable("EC-HSM")) }
            var path: String? = "/keys?api-version=7.4&maxresults=2"
            var names: [String] = []
            while let next = path {
                let answer = try await cloud.send(.get, Cloud.vault, next, bearer: cloud.bearer())
                #expect(answer.status == 200)
                for item in try answer.json.array("value") {
                    names.append(try item.string("kid"))
                    #expect(try item.object()["release_policy"] == nil)
                    #expect(try item.member("attributes").boolean("exportable"))
                }
                let link = try answer.json.optionalString("nextLink")
                #expect(link?.hasPrefix("https://\(Cloud.vault)/keys?") ?? true)
                path = link.map { String($0.dropFirst("https://\(Cloud.vault)".count)) }
            }
            #expect(names == (0..<5).map { "https://\(Cloud.vault)/keys/k\($0)" })
            for query in ["maxresults=0", "maxresults=26", "maxresults=x", "$skiptoken=!"] {
                let answer = try await cloud.send(.get, Cloud.vault, "/keys?api-version=7.4&\(query)", bearer: cloud.bearer())
                #expect(answer.status == 400)
            }
            try await cloud.simulators.createKey("k0", at: Cloud.vault, exportable("EC-HSM"))
            let versions = try await cloud.send(.get, Cloud.vault, "/keys/k0/versions?api-version=7.4", bearer: cloud.bearer())
            #expect(try versions.json.array("value").count == 2)
        }
    }

    @Test("updates change what may be changed") func update() async throws {
        try await Cloud.run { cloud in
            let bundle = try await cloud.simulators.createKey("k1", at: Cloud.vault, exportable("EC-HSM"))
            let version = try JSONCursor(.object(bundle)).member("key").string("kid").suffix(32)
            func patch(_ path: String, _ body: JSONValue) async throws -> Answer {
                try await cloud.send(.patch, Cloud.vault, path + "?api-version=7.4", json: body, bearer: cloud.bearer())
            }
            let changed = try await patch(
                "/keys/k1/\(version)", ["key_ops": ["sign"], "attributes": ["enabled": false, "exp": 1_900_000_000], "tags": ["x": "y"]])
            #expect(changed.status == 200)
            #expect(try changed.json.member("attributes").boolean("enabled") == false)
            #expect(try changed.json.member("attributes").integer("exp") == 1_900_000_000)
            #expect(try changed.json.member("tags").string("x") == "y")

            let exportableState = try await patch("/keys/k1/", ["attributes": ["exportable": false]])
            #expect(exportableState.message == "AKV.SKR.1014: Cannot modify the exportable state of a key.")
            let versioned = try await patch("/keys/k1/\(version)", ["release_policy": .object(releasePolicy())])
            #expect(versioned.message == "AKV.SKR.1016: Key Release Policy can only be set on versionless key")

            var fixed = releasePolicy([("x", "1")])
            fixed.set("immutable", true)
            let immutable = try await patch("/keys/k1/", ["release_policy": .object(fixed)])
            #expect(immutable.status == 200)
            #expect(try immutable.json.member("release_policy").boolean("immutable"))
            let late = try await patch("/keys/k1", ["release_policy": .object(releasePolicy())])
            #expect(late.message == "AKV.SKR.1020: Immutable Key Release Policy cannot be modified.")
            // A new version does not get around that.
            let again = try await cloud.send(
                .post, Cloud.vault, "/keys/k1/create?api-version=7.4", json: .object(exportable("EC-HSM")), bearer: cloud.bearer())
            #expect(again.message.hasPrefix("AKV.SKR.1020"))
            #expect(try await patch("/keys/k2", [:]).status == 404)
        }
    }

    @Test("a new version keeps policy and exportability, and cannot change the latter") func newVersion() async throws {
        try await Cloud.run { cloud in
            let first = try await cloud.simulators.createKey("k1", at: Cloud.vault, exportable("EC-HSM"))
            let second = try await cloud.simulators.createKey("k1", at: Cloud.vault, ["kty": "EC-HSM"])
            #expect(first["release_policy"] == second["release_policy"])
            await #expect(throws: SimulatorError.self) {
                try await cloud.simulators.createKey("k1", at: Cloud.vault, ["kty": "EC-HSM", "attributes": ["exportable": false]])
            }
        }
    }

    @Test("deleted keys can be recovered and purged") func deletion() async throws {
        try await Cloud.run { cloud in
            try await cloud.simulators.createKey("k1", at: Cloud.vault, ["kty": "EC"])
            func ask(_ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil) async throws -> Answer {
                try await cloud.send(method, Cloud.vault, path + "?api-version=7.4", json: body, bearer: cloud.bearer())
            }
            let early = try await ask(.get, "/deletedkeys/k1")
            #expect(early.status == 404)
            #expect(early.message == "Deleted Key not found: k1")
            let deleted = try await ask(.delete, "/keys/k1")
            #expect(deleted.status == 200)
            #expect(try deleted.json.string("recoveryId") == "https://\(Cloud.vault)/deletedkeys/k1")
            #expect(try deleted.json.integer("scheduledPurgeDate") == Cloud.now + 7 * 86_400)
            #expect(try await ask(.get, "/keys/k1").status == 404)
            #expect(try await ask(.delete, "/keys/k1").status == 404)
            let conflict = try await ask(.post, "/keys/k1/create", ["kty": "EC"])
            #expect(conflict.status == 409)
            #expect(try conflict.json.member("error").member("innererror").string("code") == "ObjectIsDeletedButRecoverable")
            #expect(try await ask(.get, "/deletedkeys").json.array("value").count == 1)
            #expect(try await ask(.post, "/deletedkeys/k1/recover").status == 200)
            #expect(try await ask(.get, "/keys/k1").status == 200)
            #expect(try await ask(.delete, "/keys/k1").status == 200)
            let purged = try await ask(.delete, "/deletedkeys/k1")
            #expect(purged.status == 204)
            #expect(purged.response.body.isEmpty)
            #expect(try await ask(.get, "/deletedkeys/k1").status == 404)
            #expect(try await ask(.post, "/keys/k1/create", ["kty": "EC"]).status == 200)
        }
    }
}
