import Issuing
import JOSE
import OpenSSLCrypto
import StrictJSON
import Testing

@Suite struct CertificateChainTests {
    private static func certificate(_ key: PrivateKey) throws -> Certificate {
        let builder = CertificateBuilder(subject: [("CN", "test")], issuer: [("CN", "test")], notBefore: 0, notAfter: 4_000_000_000)
        let algorithm: SignatureAlgorithm
        if case .rsa = key.publicKey.kind { algorithm = .rsaPKCS1(.sha256) } else { algorithm = .ecdsa(.sha256) }
        return try builder.sign(publicKey: key.publicKey, with: key, algorithm: algorithm)
    }

    private static func chain(_ x5c: JSONValue?) throws -> [Certificate] {
        var header: JSONObject = [:]
        if let x5c { header.set("x5c", x5c) }
        return try JWS(compact: JWSBuilder.unsecured(header: header, payload: []), maximumBytes: 1 << 20).certificateChain
    }

    @Test func readsTheChainInOrder() throws {
        let first = try Self.certificate(try PrivateKey.generateEC(.p256))
        let second = try Self.certificate(try PrivateKey.generateEC(.p384))
        let texts = [first, second].map { JSONValue.string(Base64.encode($0.der)) }
        #expect(try Self.chain(.array(texts)).map(\.der) == [first.der, second.der])
        #expect(try Self.chain(nil).isEmpty)
    }

    @Test func refusesWhatIsNoChain() throws {
        let der = try Self.certificate(try PrivateKey.generateEC(.p256)).der
        let good = JSONValue.string(Base64.encode(der))
        #expect(throws: Never.self) { try Self.chain([good]) }
        #expect(throws: Never.self) { try Self.chain(.array(Array(repeating: good, count: 10))) }
        let bad: [JSONValue] = [
            nil, [], [:], "x", 1, good, [nil], [1], [""], ["garbage"], [[good]], [good, ""], [good, nil],
            [.string(Base64.encodeURL(der) + "-")], [.string(Base64.encode(der + [0]))], [.string(Base64.encode(Array(der.dropLast())))],
            [.string(Base64.encode(der) + "\n")], [.string("-----BEGIN CERTIFICATE-----")], .array(Array(repeating: good, count: 11)),
        ]
        for value in bad { #expect(throws: JOSEError.self, "\(value.kindName)") { try Self.chain(value) } }
    }

    @Test func aLeafWithACurveKeyDoesNotVerifyAnRSASignature() throws {
        let curve = try PrivateKey.generateEC(.p256)
        let rsa = try SampleKeys.rsa.get()
        let leaf = try Self.certificate(curve)
        let compact = try JWSBuilder.sign(
            header: ["x5c": [.string(Base64.encode(leaf.der))]], payload: Array("{}".utf8), key: rsa, algorithm: .rs256)
        let jws = try JWS(compact: compact, maximumBytes: 1 << 20)
        let key = try #require(try jws.certificateChain.first).publicKey
        #expect(throws: JOSEError.self) { try jws.verify(with: key, algorithm: .rs256) }
        #expect(throws: JOSEError.self) { try jws.verify(with: key, algorithm: .es256) }
    }

    @Test func aLeafWithAnEdwardsKeyVerifiesNothing() throws {
        // openssl req -x509 -newkey ed25519 -nodes -outform DER -days 36500 -subj /CN=ed
        let text =
            "MIIBMDCB46ADAgECAhQ1rQcQWQPZKnzD7onLiWJRKj20rTAFBgMrZXAwDTELMAkGA1UEAwwCZWQwIBcNMjYxMTMwMTMzMzIzWhgP"
            + "MjEyNjExMDYxMzMzMjNaMA0xCzAJBgNVBAMMAmVkMCowBQYDK2VwAyEAOaa1XUhz0uZvhfVMVqc4CbGym8B1gIC1hlLFkvycZ0uj"
            + "UzBRMB0GA1UdDgQWBBTY0q8cccowzkdTvPzy/Zp5WfI6pDAfBgNVHSMEGDAWgBTY0q8cccowzkdTvPzy/Zp5WfI6pDAPBgNVHRMB"
            + "Af8EBTADAQH/MAUGAytlcANBAJu8Uzm5x2WUfx7h8fNLPPM7o7vqiJZI4F9SsejKtn4cW/aUnPn5gBnwTvU6aHdIX2x4OG5TlZ3G"
            + "1lHJUIao4Qo="
        let rsa = try SampleKeys.rsa.get()
        let compact = try JWSBuilder.sign(header: ["x5c": [.string(text)]], payload: Array("{}".utf8), key: rsa, algorithm: .rs256)
        let jws = try JWS(compact: compact, maximumBytes: 1 << 20)
        let key = try #require(try jws.certificateChain.first).publicKey
        #expect(key.kind == .other("ED25519"))
        for algorithm in JWSAlgorithm.allCases { #expect(throws: JOSEError.self) { try jws.verify(with: key, algorithm: algorithm) } }
    }

    @Test func keysMayGiveTheirCertificateInsteadOfTheirNumbers() throws {
        let rsa = try SampleKeys.rsa.get()
        let text = JSONValue.string(Base64.encode(try Self.certificate(rsa).der))
        let numbers = try #require(rsa.publicKey.rsaNumbers)
        let n = JSONValue.string(Base64.encodeURL(numbers.n))
        let key = try JWK(JSONCursor(["kty": "RSA", "x5c": [text], "kid": "a+b/c="]))
        #expect(key.publicKey.subjectPublicKeyInfo == rsa.publicKey.subjectPublicKeyInfo)
        #expect(key.certificates.count == 1)
        #expect(throws: Never.self) { try JWK(JSONCursor(["kty": "RSA", "x5c": [text], "n": n, "e": "AQAB"])) }
        let other = try SampleKeys.otherRSA.get()
        let otherText = JSONValue.string(Base64.encode(try Self.certificate(other).der))
        let curveText = JSONValue.string(Base64.encode(try Self.certificate(try PrivateKey.generateEC(.p256)).der))
        for bad: JSONValue in [
            ["kty": "RSA", "x5c": [otherText], "n": n, "e": "AQAB"], ["kty": "RSA", "x5c": [curveText]], ["kty": "EC", "x5c": [text]],
            ["kty": "RSA", "x5c": []], ["kty": "RSA", "x5c": ["x"]], ["kty": "RSA", "x5c": [text], "e": "AQAB"],
        ] { #expect(throws: JOSEError.self) { try JWK(JSONCursor(bad)) } }
    }
}
