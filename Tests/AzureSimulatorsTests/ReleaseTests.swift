import AzureSimulators
import HTTPTransport
import JOSE
import OpenSSLCrypto
import SNPReport
import SecureMemory
import StrictJSON
import Testing

/// A key type at one of the two services.
struct KeyKind: Sendable, CustomTestStringConvertible {
    let host: String
    let kty: String
    let extra: JSONObject
    let algorithm: KeyWrapAlgorithm

    var testDescription: String { "\(kty) \(extra.keys) at \(host) with \(algorithm.rawValue)" }
}

struct ReleaseTests {
    static let kinds: [KeyKind] = {
        var kinds: [KeyKind] = []
        for (index, host) in [Cloud.vault, Cloud.managedHSM].enumerated() {
            for (position, shape): (Int, (String, JSONObject)) in [
                ("RSA-HSM", ["key_size": 2048]), ("EC-HSM", ["crv": "P-256"]), ("EC-HSM", ["crv": "P-384"]), ("EC-HSM", ["crv": "P-521"]),
            ].enumerated() {
                let algorithm = KeyWrapAlgorithm.allCases[(index + position) % 3]
                kinds.append(KeyKind(host: host, kty: shape.0, extra: shape.1, algorithm: algorithm))
            }
        }
        for (bits, algorithm): (JSONValue, KeyWrapAlgorithm) in [
            (128, .ckmRSAAESKeyWrap), (192, .rsaAESKeyWrap256), (256, .rsaAESKeyWrap384),
        ] { kinds.append(KeyKind(host: Cloud.managedHSM, kty: "oct-HSM", extra: ["key_size": bits], algorithm: algorithm)) }
        return kinds
    }()

    @Test("a released key opens with the guest's wrapping key and is the key that was made", arguments: kinds) func roundTrip(
        _ kind: KeyKind
    ) async throws {
        try await Cloud.run(Guest.trust) { cloud in
            let bundle = try await cloud.simulators.createKey("k1", at: kind.host, exportable(kind.kty, releasePolicy(), kind.extra))
            let wrappingKey = try WrappingKey.generate(bits: 2048)
            let guest = Guest(wrappingKey)
            let token = try await guest.token(cloud)
            let answer = try await cloud.send(
                .post, kind.host, "/keys/k1//release?api-version=7.4",
                json: ["target": .string(token), "enc": .string(kind.algorithm.rawValue), "nonce": "n-1"], bearer: cloud.bearer(kind.host))
            #expect(answer.status == 200, "\(answer.message) \(answer.explanation)")
            let released = try ReleasedAnswer(answer, host: kind.host, caFile: cloud.caFile)
            #expect(try released.payload.member("request").string("enc") == kind.algorithm.rawValue)
            #expect(try released.payload.member("request").string("nonce") == "n-1")
            #expect(try released.payload.member("request").string("kid") == "https://\(kind.host)/keys/k1")
            #expect(released.header.at("kid") == guest.wrappingKeyID)
            #expect(released.header.at("alg") == "dir")
            #expect(released.header.at("enc") == kind.algorithm.rawValue)

            let secret = try wrappingKey.unwrap(released.ciphertext, using: kind.algorithm)
            if kind.kty == "oct-HSM" {
                guard case .integer(let bits)? = kind.extra["key_size"] else { return }
                #expect(secret.count == Int(bits) / 8)
            } else {
                let numbers = try PrivateKeyNumbers(pkcs8DER: secret)
                let key = try JSONCursor(.object(bundle)).member("key")
                let member = kind.kty == "RSA-HSM" ? "n" : "x"
                let own = numbers.rsaPublic?.n ?? numbers.ecPublic?.x ?? []
                #expect(try key.string(member) == Base64.encodeURL(own))
            }
        }
    }

    @Test("the two services answer in their own shapes", arguments: [Cloud.vault, Cloud.managedHSM]) func shapes(_ host: String)
        async throws
    {
        try await Cloud.run(Guest.trust) { cloud in
            let bundle = try await cloud.simulators.createKey("k1", at: host, exportable("RSA-HSM"))
            let kid = try JSONCursor(.object(bundle)).member("key").string("kid")
            let version = String(kid.suffix(32))
            let token = try await Guest(try WrappingKey.generate(bits: 2048)).token(cloud)
            let answer = try await cloud.send(
                .post, host, "/keys/k1/\(version)/release?api-version=7.3", json: ["target": .string(token)], bearer: cloud.bearer(host))
            #expect(answer.status == 200)
            let released = try ReleasedAnswer(answer, host: host, caFile: cloud.caFile)
            let request = try released.payload.member("request")
            #expect(try request.string("api-version") == "7.3")
            #expect(try request.string("enc") == "CKM_RSA_AES_KEY_WRAP")
            #expect(try request.string("kid") == kid)
            #expect(try request.object()["nonce"] == nil)
            let key = try released.payload.member("response").member("key")
            #expect(try key.member("key").string("kid") == kid)
            #expect(try key.member("attributes").boolean("exportable"))
            #expect(try key.object("tags").isEmpty)
            let leaf = released.chain[0]
            #expect(released.chain.count == 3)
            if host == Cloud.vault {
                #expect(released.jws.header.keys == ["alg", "kid", "x5t", "typ", "x5t#S256", "x5c"])
                #expect(released.jws.keyID == Hex.encode(DigestAlgorithm.sha1.digest(leaf.der)).uppercased())
                #expect(leaf.subjectCommonName == "vault.azure.net")
                #expect(try key.member("key").string("kty") == "RSA-HSM")
                #expect(try key.object("release_policy").keys == ["data", "immutable"])
                #expect(try released.wrapped.object().keys == ["schema_version", "header", "ciphertext"])
            } else {
                #expect(released.jws.header.keys == ["alg", "kid", "x5c", "x5t#S256"])
                #expect(released.jws.keyID == Base64.encodeURL(leaf.sha256))
                #expect(leaf.subjectCommonName == "*.contoso.managedhsm.azure.net")
                #expect(try key.member("key").string("kty") == "RSA")
                #expect(try key.object("release_policy").keys == ["contentType", "data", "immutable"])
                #expect(try released.wrapped.object().keys == ["ciphertext", "header", "schema_version"])
                #expect(!leaf.matches(host: "other.managedhsm.azure.net"))
            }
        }
    }

    @Test("every path form releases; larger wrapping keys work", arguments: ["/keys/k1/release", "/keys/K1//release"]) func paths(
        _ path: String
    ) async throws {
        try await Cloud.run(Guest.trust) { cloud in
            try await cloud.simulators.createKey("k1", at: Cloud.vault, exportable("EC-HSM"))
            let wrappingKey = try WrappingKey.generate(bits: 3072)
            let token = try await Guest(wrappingKey).token(cloud)
            let answer = try await cloud.send(
                .post, Cloud.vault, path + "?api-version=2025-07-01", json: ["target": .string(token)], bearer: cloud.bearer())
            #expect(answer.status == 200)
            let released = try ReleasedAnswer(answer, host: Cloud.vault, caFile: cloud.caFile)
            #expect(try wrappingKey.unwrap(released.ciphertext, using: .ckmRSAAESKeyWrap).count == 138)
        }
    }

    @Test("the first RSA key for encryption is the one that receives") func firstSuitableKey() async throws {
        try await Cloud.run(Guest.trust) { cloud in
            try await cloud.simulators.createKey("k1", at: Cloud.vault, exportable("EC-HSM"))
            let signing = try PrivateKey.generateRSA(bits: 2048).publicKey.rsaNumbers
            let point = try PrivateKey.generateEC(.p256).publicKey.ecPoint
            let others =
                #"{"kty":"RSA","kid":"sign","key_ops":["sign"],"n":"\#(Base64.encodeURL(signing?.n ?? []))","e":"AQAB"},"#
                + #"{"kty":"EC","kid":"curve","crv":"P-256","key_ops":["encrypt"],"x":"\#(Base64.encodeURL(point?.x ?? []))","y":"\#(Base64.encodeURL(point?.y ?? []))"},"#
                + #"{"kty":"RSA","kid":"broken","key_ops":["encrypt"],"n":"AQAB","e":"AQAB"},"#
            let wrappingKey = try WrappingKey.generate(bits: 2048)
            let token = try await Guest(wrappingKey, extraKeys: others).token(cloud)
            let answer = try await cloud.send(
                .post, Cloud.vault, "/keys/k1/release?api-version=7.4", json: ["target": .string(token)], bearer: cloud.bearer())
            let released = try ReleasedAnswer(answer, host: Cloud.vault, caFile: cloud.caFile)
            #expect(released.header.at("kid") == "wrapping-key")
            #expect(try wrappingKey.unwrap(released.ciphertext, using: .ckmRSAAESKeyWrap).count == 138)
        }
    }

    @Test("an authority with a trailing slash works when issuer and policy agree") func trailingSlash() async throws {
        try await Cloud.run { cloud in
            let issuer = "https://\(Cloud.attestation)/"
            try await cloud.simulators.createKey(
                "k1", at: Cloud.vault, exportable("EC-HSM", releasePolicy([("sdk-test", "true")], authority: issuer)))
            let numbers = try PrivateKey.generateRSA(bits: 2048).publicKey.rsaNumbers
            let token = try await cloud.simulators.attestationToken(
                claims: [
                    "iss": .string(issuer), "exp": .integer(Cloud.now + 60), "sdk-test": true,
                    "x-ms-runtime": [
                        "keys": [
                            [
                                "kty": "RSA", "kid": "fake-release-key", "use": "enc", "e": "AQAB",
                                "n": .string(Base64.encodeURL(numbers?.n ?? [])),
                            ]
                        ]
                    ],
                ], host: Cloud.attestation)
            let answer = try await cloud.send(
                .post, Cloud.vault, "/keys/k1/release?api-version=7.4", json: ["target": .string(token)], bearer: cloud.bearer())
            #expect(answer.status == 200, "\(answer.explanation)")
        }
    }
}

/// A release answer, verified as Microsoft's client does it and taken apart.
struct ReleasedAnswer {
    let jws: JWS
    let chain: [Certificate]
    let payload: JSONCursor
    let wrapped: JSONCursor
    let header: JSONObject
    let ciphertext: [UInt8]

    init(_ answer: Answer, host: String, caFile: String) throws {
        jws = try JWS(compact: try answer.json.string("value"), maximumBytes: 64 * 1024)
        chain = try jws.certificateChain
        let leaf = try #require(chain.first)
        try jws.verify(with: leaf.publicKey, algorithm: .rs256)
        // The last certificate is ignored; the root comes from the trust store.
        try TrustStore(files: [caFile], directories: [], includesSystemDefaults: false).verify(
            leaf: leaf, intermediates: Array(chain.dropFirst().dropLast()), host: host, at: Cloud.now)
        payload = try jws.payload()
        let text = try payload.member("response").member("key").member("key").string("key_hsm")
        wrapped = try JSONCursor.parse(try #require(Base64.decodeURL(text)))
        header = try wrapped.object("header")
        ciphertext = try #require(Base64.decodeURL(try wrapped.string("ciphertext")))
        #expect(try wrapped.string("schema_version") == "1.0")
    }
}

extension JSONObject {
    /// A text member.
    func at(_ name: String) -> String? { if case .string(let text)? = self[name] { text } else { nil } }
}
