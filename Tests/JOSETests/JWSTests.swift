import Issuing
import JOSE
import OpenSSLCrypto
import StrictJSON
import Testing

@Suite struct JWSTests {
    private static let limit = 64 * 1024

    @Test func verifiesTheExamplesOfRFC7515() throws {
        let rsa = try JWS(compact: RFC7515.rs256, maximumBytes: Self.limit)
        #expect(rsa.algorithm == "RS256")
        #expect(rsa.keyID == nil)
        try rsa.verify(with: try RFC7515.rsaKey(), algorithm: .rs256)
        #expect(try rsa.payload().value == ["iss": "joe", "exp": 1_300_819_380, "http://example.com/is_root": true])

        let p256 = try PublicKey(ec: .p256, x: RFC7515.bytes(RFC7515.es256Key.x), y: RFC7515.bytes(RFC7515.es256Key.y))
        try JWS(compact: RFC7515.es256, maximumBytes: Self.limit).verify(with: p256, algorithm: .es256)

        let p521 = try PublicKey(ec: .p521, x: RFC7515.bytes(RFC7515.es512Key.x), y: RFC7515.bytes(RFC7515.es512Key.y))
        let es512 = try JWS(compact: RFC7515.es512, maximumBytes: Self.limit)
        try es512.verify(with: p521, algorithm: .es512)
        #expect(es512.payloadBytes == Array("Payload".utf8))
    }

    @Test func unsecuredMessagesCanBeReadButNeverVerify() throws {
        let jws = try JWS(compact: RFC7515.unsecured, maximumBytes: Self.limit)
        #expect(jws.algorithm == "none")
        #expect(jws.signature == [])
        let key = try RFC7515.rsaKey()
        for algorithm in JWSAlgorithm.allCases { #expect(throws: JOSEError.self) { try jws.verify(with: key, algorithm: algorithm) } }
    }

    @Test func messagesWithASharedSecretNeverVerify() throws {
        let jws = try JWS(compact: RFC7515.hs256, maximumBytes: Self.limit)
        #expect(jws.algorithm == "HS256")
        #expect(throws: JOSEError.self) { try jws.verify(with: try RFC7515.rsaKey(), algorithm: .rs256) }
    }

    @Test func everyAlgorithmSignsAndVerifiesWithItsOwnKindOfKeyOnly() throws {
        let rsa = try SampleKeys.rsa.get()
        let curves = try EllipticCurve.allCases.map { try PrivateKey.generateEC($0) }
        for algorithm in JWSAlgorithm.allCases {
            let key = try #require(([rsa] + curves).first { algorithm.accepts($0.publicKey.kind) })
            let compact = try JWSBuilder.sign(header: ["typ": "JWT"], payload: Array("{\"a\":1}".utf8), key: key, algorithm: algorithm)
            let jws = try JWS(compact: compact, maximumBytes: Self.limit)
            #expect(jws.header == ["typ": "JWT", "alg": .string(algorithm.rawValue)])
            try jws.verify(with: key.publicKey, algorithm: algorithm)
            for other in JWSAlgorithm.allCases where other != algorithm {
                #expect(throws: JOSEError.self) { try jws.verify(with: key.publicKey, algorithm: other) }
            }
            for other in [rsa] + curves where other !== key {
                #expect(throws: JOSEError.self) { try jws.verify(with: other.publicKey, algorithm: algorithm) }
            }
            let stranger = try Self.another(of: key.publicKey.kind)
            #expect(throws: JOSEError.self) { try jws.verify(with: stranger.publicKey, algorithm: algorithm) }
        }
    }

    @Test func changingAnyPartBreaksTheSignature() throws {
        let key = try RFC7515.rsaKey()
        let parts = RFC7515.rs256.split(separator: ".").map(String.init)
        let signature = try RFC7515.bytes(parts[2])
        let otherHeader = Base64.encodeURL(Array("{\"alg\":\"RS256\" }".utf8))
        for changed in [
            [otherHeader, parts[1], parts[2]], [parts[0], "e30", parts[2]], [parts[0], "", parts[2]], [parts[0], parts[1], "AAAA"],
            [parts[0], parts[1], ""], [parts[0], parts[1], Base64.encodeURL(signature + [0])],
            [parts[0], parts[1], Base64.encodeURL([0] + signature)], [parts[0], parts[1], Base64.encodeURL(signature.dropLast())],
        ] {
            let jws = try JWS(compact: changed.joined(separator: "."), maximumBytes: Self.limit)
            #expect(throws: JOSEError.self) { try jws.verify(with: key, algorithm: .rs256) }
        }
    }

    @Test(arguments: ["none", "None", "NONE", "HS256", "rs256", "Rs256", "RS256 ", "RS384", "PS256", "", "RS256\0"])
    func anotherAlgorithmInTheHeaderIsRefused(name: String) throws {
        // Correctly signed, so that nothing but the name can be the reason.
        let signer = try SampleKeys.rsa.get()
        let header = JSONValue.object(["alg": .string(name)]).serialized()
        let input = "\(Base64.encodeURL(header)).e30"
        let signature = try signer.sign(Array(input.utf8), algorithm: .rsaPKCS1(.sha256))
        let compact = "\(input).\(Base64.encodeURL(signature))"
        if name.contains("\0") {
            #expect(throws: JOSEError.self) { try JWS(compact: compact, maximumBytes: Self.limit) }
            return
        }
        let jws = try JWS(compact: compact, maximumBytes: Self.limit)
        #expect(jws.algorithm == name)
        #expect(throws: JOSEError.self) { try jws.verify(with: signer.publicKey, algorithm: .rs256) }
    }

    @Test func shortRSAKeysAreRefused() throws {
        #expect(!JWSAlgorithm.rs256.accepts(.rsa(bits: 2047)))
        #expect(JWSAlgorithm.ps512.accepts(.rsa(bits: 2048)))
        #expect(!JWSAlgorithm.es256.accepts(.ec(.p384)))
        #expect(!JWSAlgorithm.rs256.accepts(.other("ED25519")))
    }

    @Test(arguments: [
        "", ".", "..", "a.b", "e30.e30", "\(RFC7515.rs256).", "\(RFC7515.rs256).AA.AA", "\(RFC7515.rs256)=", RFC7515.unsecured + ".",
        " " + RFC7515.rs256, RFC7515.rs256 + "\n", RFC7515.rs256 + " ", RFC7515.rs256 + "+", RFC7515.rs256.replacing("-", with: "+"),
        RFC7515.rs256.replacing("_", with: "/"), RFC7515.rs256 + "\0",
        // The same bytes with other unused bits: 'w' and 'x' differ in them alone.
        RFC7515.rs256.dropLast() + "x", "eyJhbGciOiJub25lIn1.\(RFC7515.claims).", "eyJhbGciOiJub25lIn0=.\(RFC7515.claims).",
    ]) func malformedMessagesAreRefused(compact: String) {
        #expect(throws: JOSEError.self) { try JWS(compact: compact, maximumBytes: Self.limit) }
    }

    @Test(arguments: [
        "", "x", "[]", "1", "null", "\"RS256\"", "{}", "{\"alg\":null}", "{\"alg\":1}", "{\"alg\":[\"RS256\"]}",
        "{\"alg\":\"RS256\",\"alg\":\"none\"}", "{\"alg\":\"RS256\",\"\\u0061lg\":\"none\"}", "{\"Alg\":\"RS256\"}",
        "{\"alg\":\"RS256\"} x", "{\"alg\":\"RS256\"}{}", "{\"alg\":\"RS256\",\"kid\":1}", "{\"alg\":\"RS256\",\"kid\":null}",
        "{\"alg\":\"RS256\",\"crit\":[]}", "{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", "{\"alg\":\"RS256\",\"crit\":null}",
        "{\"alg\":\"RS256\",\"b64\":false}", "{\"alg\":\"RS256\",\"b64\":true}", "\u{FEFF}{\"alg\":\"RS256\"}",
        "{\"alg\":\"RS256\",\"x\":" + String(repeating: "[", count: 9) + String(repeating: "]", count: 9) + "}",
    ]) func malformedHeadersAreRefused(header: String) {
        #expect(throws: JOSEError.self) { try JWS(compact: "\(Base64.encodeURL(Array(header.utf8))).e30.AA", maximumBytes: Self.limit) }
    }

    @Test func lengthsAreBounded() throws {
        #expect(throws: Never.self) { try JWS(compact: RFC7515.rs256, maximumBytes: RFC7515.rs256.utf8.count) }
        #expect(throws: JOSEError.self) { try JWS(compact: RFC7515.rs256, maximumBytes: RFC7515.rs256.utf8.count - 1) }
        func message(filler: Int) -> String {
            let header: JSONObject = ["alg": "none", "x": .string(String(repeating: "x", count: filler))]
            return JWSBuilder.unsecured(header: header, payload: [])
        }
        #expect(throws: Never.self) { try JWS(compact: message(filler: 60_000), maximumBytes: 1 << 20) }
        #expect(throws: JOSEError.self) { try JWS(compact: message(filler: 66_000), maximumBytes: 1 << 20) }
        #expect(throws: JOSEError.self) { try JWS(compact: message(filler: 10 << 20), maximumBytes: 1 << 30) }
    }

    @Test func payloadsAreStrictJSON() throws {
        for payload in ["", "x", "{\"a\":1,\"a\":2}", "{} x"] {
            let jws = try JWS(compact: JWSBuilder.unsecured(payload: Array(payload.utf8)), maximumBytes: Self.limit)
            #expect(throws: JOSEError.self) { try jws.payload() }
        }
    }

    @Test func theBuilderKeepsTheHeadersOrder() throws {
        let key = try PrivateKey.generateEC(.p256)
        let compact = try JWSBuilder.sign(header: ["alg": "x", "kid": "k", "typ": "JWT"], payload: [], key: key, algorithm: .es256)
        let header = try RFC7515.bytes(String(compact.prefix { $0 != "." }))
        #expect(String(decoding: header, as: UTF8.self) == "{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"JWT\"}")
        #expect(try JWS(compact: compact, maximumBytes: Self.limit).keyID == "k")
    }

    private static func another(of kind: PublicKey.Kind) throws -> PrivateKey {
        guard case .ec(let curve) = kind else { return try SampleKeys.otherRSA.get() }
        return try PrivateKey.generateEC(curve)
    }
}
