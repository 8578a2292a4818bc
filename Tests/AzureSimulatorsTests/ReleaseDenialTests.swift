import Issuing
import AzureSimulators
import HTTPTransport
import JOSE
import OpenSSLCrypto
import SNPReport
import SecureMemory
import StrictJSON
import Testing

private let unverified = "Target environment attestation statement cannot be verified."
private let unsatisfied = "Target environment attestation does not meet key release policy requirements."

struct ReleaseDenialTests {
    /// Asks for k1 of the vault with a guest that `change` has altered.
    private func release(_ cloud: Cloud, policy: JSONObject = releasePolicy(), _ change: (inout Guest) -> Void = { _ in }) async throws
        -> Answer
    {
        try await cloud.simulators.createKey("k1", at: Cloud.vault, exportable("EC-HSM", policy))
        var guest = Guest(try WrappingKey.generate(bits: 2048))
        change(&guest)
        return try await self.release(cloud, token: try await guest.token(cloud))
    }

    private func release(_ cloud: Cloud, token: String, bearer: String? = nil) async throws -> Answer {
        try await cloud.send(
            .post, Cloud.vault, "/keys/k1/release?api-version=7.4", json: ["target": .string(token)], bearer: try bearer ?? cloud.bearer())
    }

    /// Claims of a token that would be released to, for forgeries.
    private func goodClaims() throws -> JSONObject {
        let numbers = try PrivateKey.generateRSA(bits: 2048).publicKey.rsaNumbers
        return [
            "iss": .string("https://" + Cloud.attestation), "exp": .integer(Cloud.now + 60), "nbf": .integer(Cloud.now),
            "x-ms-sevsnpvm-is-debuggable": false,
            "x-ms-runtime": [
                "keys": [["kty": "RSA", "kid": "k", "key_ops": ["encrypt"], "e": "AQAB", "n": .string(Base64.encodeURL(numbers?.n ?? []))]]
            ],
        ]
    }

    private func releaseForged(_ cloud: Cloud, _ change: (inout JSONObject) -> Void) async throws -> Answer {
        try await cloud.simulators.createKey("k1", at: Cloud.vault, exportable("EC-HSM"))
        var claims = try goodClaims()
        change(&claims)
        return try await release(cloud, token: try await cloud.simulators.attestationToken(claims: claims, host: Cloud.attestation))
    }

    @Test("a debuggable guest is attested, and refused by the policy") func debuggable() async throws {
        try await Cloud.run(Guest.trust) { cloud in
            let answer = try await release(cloud) { $0.builder.policy = GuestPolicy(raw: 0xB001F) }
            #expect(answer.status == 403)
            #expect(answer.code == "Forbidden")
            #expect(answer.message == unsatisfied)
            #expect(answer.explanation.contains("x-ms-sevsnpvm-is-debuggable"))
            #expect(answer.explanation.contains("found true"))
        }
    }

    @Test("another container policy is refused") func hostData() async throws {
        try await Cloud.run(Guest.trust) { cloud in
            let wanted = Hex.encode([UInt8](repeating: 0x5A, count: 32))
            let policy = releasePolicy([("x-ms-sevsnpvm-hostdata", .string(wanted))])
            #expect(try await release(cloud, policy: policy).status == 200)
            let answer = try await release(cloud, policy: policy) { $0.builder.hostData[31] = 0 }
            #expect(answer.status == 403)
            #expect(answer.message == unsatisfied)
            #expect(answer.explanation.contains("x-ms-sevsnpvm-hostdata"))
        }
    }

    @Test("a token of another authority is refused, with the near miss in the explanation") func otherAuthority() async throws {
        try await Cloud.run(Guest.trust) { cloud in
            let policy = releasePolicy(authority: "https://\(Cloud.attestation)/")
            let answer = try await release(cloud, policy: policy)
            #expect(answer.status == 403)
            #expect(answer.message == unsatisfied)
            #expect(answer.explanation.contains("differs-by-trailing-slash"))
        }
    }

    @Test("an authority that cannot be reached verifies nothing") func unknownAuthority() async throws {
        try await Cloud.run { cloud in
            let policy = releasePolicy(authority: "https://attest.example.org")
            try await cloud.simulators.createKey("k1", at: Cloud.vault, exportable("EC-HSM", policy))
            var claims = try goodClaims()
            claims.set("iss", "https://attest.example.org")
            let token = try await cloud.simulators.attestationToken(claims: claims, host: Cloud.attestation)
            let answer = try await release(cloud, token: token)
            #expect(answer.status == 400)
            #expect(answer.message == "AKV.SKR.1012: The specified attestation service https://attest.example.org cannot be reached.")
        }
    }

    @Test("an authority that is not simulated is asked over the transport") func foreignAuthority() async throws {
        let issuer = "https://attest.example.org/"
        let key = try PrivateKey.generateRSA(bits: 2048)
        let numbers = key.publicKey.rsaNumbers
        let keys: JSONValue = [
            "keys": [
                [
                    "kty": "RSA", "kid": "foreign", "n": .string(Base64.encodeURL(numbers?.n ?? [])),
                    "e": .string(Base64.encodeURL(numbers?.e ?? [])),
                ]
            ]
        ]
        let site = Site(pages: [
            "attest.example.org/.well-known/openid-configuration": #"{"jwks_uri":"https://attest.example.org/keys"}"#,
            "attest.example.org/keys": String(decoding: keys.serialized(), as: UTF8.self),
        ])
        try await Cloud.run({ $0.authorityTransport = site }) { cloud in
            try await cloud.simulators.createKey("k1", at: Cloud.vault, exportable("EC-HSM", releasePolicy(authority: issuer)))
            var claims = try goodClaims()
            claims.set("iss", .string(issuer))
            let payload = JSONValue.object(claims).serialized()
            // `jku` leads elsewhere and is not followed.
            let header: JSONObject = ["kid": "foreign", "jku": "https://evil.example.org/keys"]
            let token = try JWSBuilder.sign(header: header, payload: payload, key: key, algorithm: .rs256)
            #expect(try await release(cloud, token: token).status == 200)
            let stranger = try PrivateKey.generateRSA(bits: 2048)
            let forged = try JWSBuilder.sign(header: header, payload: payload, key: stranger, algorithm: .rs256)
            #expect(try await release(cloud, token: forged).message == unverified)
        }
    }

    @Test("times are judged with five minutes of tolerance") func times() async throws {
        try await Cloud.run { cloud in
            #expect(try await releaseForged(cloud) { $0.set("exp", .integer(Cloud.now - 299)) }.status == 200)
            for (member, time) in [("exp", Cloud.now - 301), ("nbf", Cloud.now + 301)] {
                let answer = try await releaseForged(cloud) { $0.set(member, .integer(time)) }
                #expect(answer.status == 403)
                #expect(answer.message == unverified)
            }
            for value: JSONValue in ["tomorrow", .null, .integer(.min)] {
                #expect(try await releaseForged(cloud) { $0.set("exp", value) }.message == unverified)
            }
            #expect(try await releaseForged(cloud) { $0.set("exp", .integer(.max)) }.status == 200)
        }
    }

    @Test("signatures are checked with the authority's published keys") func signatures() async throws {
        try await Cloud.run { cloud in
            try await cloud.simulators.createKey("k1", at: Cloud.vault, exportable("EC-HSM"))
            let claims = try goodClaims()
            let token = try await cloud.simulators.attestationToken(claims: claims, host: Cloud.attestation)
            let jws = try JWS(compact: token, maximumBytes: 100_000)
            let payload = JSONValue.object(claims).serialized()
            let stranger = try PrivateKey.generateRSA(bits: 2048)
            var broken = token
            let last = broken.removeLast()
            broken.insert(last == "A" ? "Q" : "A", at: broken.index(broken.endIndex, offsetBy: -10))
            broken.append(last)
            let forgeries = [
                JWSBuilder.unsecured(header: jws.header, payload: payload),
                try JWSBuilder.sign(header: jws.header, payload: payload, key: stranger, algorithm: .rs256),
                try JWSBuilder.sign(header: ["kid": "unknown"], payload: payload, key: stranger, algorithm: .rs256),
                try JWSBuilder.sign(header: [:], payload: payload, key: stranger, algorithm: .rs256), broken, "", "a.b.c", "not a token",
                String(repeating: "A", count: 300_000),
            ]
            for forgery in forgeries {
                let answer = try await release(cloud, token: forgery)
                #expect(answer.status == 403, "\(forgery.prefix(40))")
                #expect(answer.message == unverified)
                #expect(!answer.explanation.isEmpty)
            }
            // An access token is no attestation token either.
            #expect(try await release(cloud, token: cloud.bearer()).status == 403)
            // The signature of another provider of the same simulators does not count.
            let other = try await cloud.simulators.attestationToken(claims: claims, host: "other.eus2.attest.azure.net")
            #expect(try await release(cloud, token: other).message == unverified)
            #expect(try await release(cloud, token: token).status == 200)
        }
    }

    @Test("the authority is asked for its keys, so its outage shows", arguments: [SimulatorRoute.maaMetadata, .maaCertificates])
    func authorityOutage(_ route: SimulatorRoute) async throws {
        try await Cloud.run { cloud in
            cloud.simulators.inject(FaultRule(.status(503), on: route))
            let refused = try await releaseForged(cloud) { _ in }
            #expect(refused.status == 400)
            #expect(refused.message.hasPrefix("AKV.SKR.1012: "))
            #expect(refused.explanation.contains("503"))
            cloud.simulators.inject(FaultRule(.replaceBody { _ in Array("<html>".utf8) }, on: route))
            #expect(try await releaseForged(cloud) { _ in }.message == unverified)
            #expect(try await releaseForged(cloud) { _ in }.status == 200)
            #expect(cloud.simulators.requestCounts[.maaCertificates] ?? 0 >= 1)
        }
    }

    @Test("a token without a key to encrypt with is refused") func noWrappingKey() async throws {
        try await Cloud.run { cloud in
            let signOnly: JSONValue = ["keys": [["kty": "RSA", "kid": "k", "key_ops": ["sign"], "n": "AQAB", "e": "AQAB"]]]
            for runtime: JSONValue in [.null, ["keys": []], ["keys": ["k"]], signOnly, "keys"] {
                let answer = try await releaseForged(cloud) { $0.set("x-ms-runtime", runtime) }
                #expect(answer.status == 400)
                #expect(answer.code == "BadParameter")
            }
        }
    }

    @Test("keys that are not there, not exportable, disabled or out of their time") func keyState() async throws {
        try await Cloud.run { cloud in
            let token = try await cloud.simulators.attestationToken(claims: goodClaims(), host: Cloud.attestation)
            let missing = try await release(cloud, token: token)
            #expect(missing.status == 404)
            #expect(missing.code == "KeyNotFound")
            #expect(missing.message.hasPrefix("A key with (name/id) k1 was not found in this key vault."))

            try await cloud.simulators.createKey("k1", at: Cloud.vault, ["kty": "EC"])
            let closed = try await release(cloud, token: token)
            #expect(closed.status == 403)

            for (attributes, inner): (JSONObject, String) in [
                (["enabled": false, "exportable": true], "KeyDisabled"),
                (["exp": .integer(Cloud.now - 1), "exportable": true], "KeyExpired"),
                (["nbf": .integer(Cloud.now + 1), "exportable": true], "KeyNotYetValid"),
            ] {
                let name = inner.lowercased()
                try await cloud.simulators.createKey(
                    name, at: Cloud.vault, exportable("EC-HSM", releasePolicy(), ["attributes": .object(attributes)]))
                let answer = try await cloud.send(
                    .post, Cloud.vault, "/keys/\(name)/release?api-version=7.4", json: ["target": .string(token)], bearer: cloud.bearer())
                #expect(answer.status == 403)
                #expect(try answer.json.member("error").member("innererror").string("code") == inner)
            }
        }
    }

    @Test("requests that are not release requests") func malformed() async throws {
        try await Cloud.run { cloud in
            try await cloud.simulators.createKey("k1", at: Cloud.vault, exportable("EC-HSM"))
            let bearer = try cloud.bearer()
            let token = try await cloud.simulators.attestationToken(claims: goodClaims(), host: Cloud.attestation)
            for body: JSONValue in [
                [:], ["target": 7], ["target": .string(token), "enc": "RSA-OAEP"], ["target": .string(token), "nonce": 7], [.string(token)],
            ] {
                let answer = try await cloud.send(.post, Cloud.vault, "/keys/k1/release?api-version=7.4", json: body, bearer: bearer)
                #expect(answer.status == 400, "\(body)")
                #expect(answer.code == "BadParameter")
            }
            let old = try await cloud.send(
                .post, Cloud.vault, "/keys/k1/release?api-version=7.2", json: ["target": .string(token)], bearer: bearer)
            #expect(old.status == 400)
        }
    }

    @Test("a caller without the release permission gets the RBAC text") func noPermission() async throws {
        try await Cloud.run { cloud in
            try await cloud.simulators.createKey("k1", at: Cloud.vault, exportable("EC-HSM"))
            cloud.simulators.deny(PermissionDenial([.release], caller: SimulatedIdentity.systemAssigned.clientID))
            let token = try await cloud.simulators.attestationToken(claims: goodClaims(), host: Cloud.attestation)
            let answer = try await release(cloud, token: token)
            #expect(answer.status == 403)
            #expect(answer.message.hasPrefix("Caller is not authorized to perform action on resource."))
            #expect(answer.message.contains("Microsoft.KeyVault/vaults/keys/release/action"))
            #expect(try answer.json.member("error").member("innererror").string("code") == "ForbiddenByRbac")
            // Get is another permission, and another caller another caller.
            let get = try await cloud.send(.get, Cloud.vault, "/keys/k1?api-version=7.4", bearer: cloud.bearer())
            #expect(get.status == 200)
            let other = SimulatedIdentity(clientID: "other", objectID: "other")
            let allowed = try cloud.simulators.accessToken(audience: Cloud.vaultAudience, identity: other)
            #expect(try await release(cloud, token: token, bearer: allowed).status == 200)
            cloud.simulators.clearDenials()
            #expect(try await release(cloud, token: token).status == 200)
        }
    }

    @Test("errors of the HSM end with an activity id") func activityID() async throws {
        try await Cloud.run { cloud in
            let answer = try await cloud.send(
                .post, Cloud.managedHSM, "/keys/k1/release?api-version=7.4", json: ["target": "x"], bearer: cloud.bearer(Cloud.managedHSM))
            #expect(answer.status == 404)
            #expect(answer.message.hasPrefix("Key not found: k1 (Activity ID: "))
            #expect(answer.message.hasSuffix(")"))
        }
    }
}

/// A web site of fixed pages, by host and path.
private struct Site: HTTPTransport {
    let pages: [String: String]

    func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        guard case .service(let endpoint) = request.target, let page = pages[endpoint.description + request.path] else {
            return HTTPResponse(status: 404)
        }
        return HTTPResponse(status: 200, body: Array(page.utf8))
    }
}
