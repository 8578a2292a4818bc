internal import AttestationTokens
internal import Issuing
internal import JOSE
internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import StrictJSON

extension FuzzTarget {
    /// Compact signed messages and tokens of attestation authorities: nothing is verified but what was signed here.
    static let jws = FuzzTarget("jws", maximumBytes: 6000, seeds: JWSTarget.seeds, run: JWSTarget.run)
    static let jwk = FuzzTarget("jwk", maximumBytes: 4096, seeds: JWKTarget.seeds, run: JWKTarget.run)
}

private enum JWSTarget {
    private static let time: Int64 = 1_750_000_000
    private static let authority = "https://fuzz.eus.attest.azure.net"
    private static let key = Result { try PrivateKey.generateRSA(bits: 2048) }
    private static let published = Result { () throws -> JWKSet in
        let numbers = try key.get().publicKey.rsaNumbers!
        return try JWKSet(parsing: Array("{\"keys\":[\(JWKText.rsa(numbers, kid: "k1"))]}".utf8), maximumKeys: 4)
    }

    private static let made = Result { () throws -> [[UInt8]] in
        var claims = ReportClaims.make(try AttestationReport(ReportBuilder().unsignedBytes()))
        for (name, value) in [
            ("iss", JSONValue.string(authority)), ("exp", .integer(time + 3600)), ("nbf", .integer(time)), ("nonce", "n"),
            ("x-ms-runtime", ["keys": [["kty": "RSA", "kid": "w", "use": "enc", "n": "AQAB", "e": "AQAB"]]]),
        ] { claims.set(name, value) }
        let header: JSONObject = ["kid": "k1", "typ": "JWT"]
        let payload = JSONValue.object(claims).serialized()
        let signed = try [JWSAlgorithm.rs256, .ps256].map { algorithm in
            try JWSBuilder.sign(header: header, payload: payload, key: try key.get(), algorithm: algorithm)
        }
        let small = try JWSBuilder.sign(header: [:], payload: Array("{}".utf8), key: try key.get(), algorithm: .rs256)
        return (signed + [small, JWSBuilder.unsecured(header: ["x5c": []], payload: Array("{}".utf8))]).map { Array($0.utf8) }
    }

    @Sendable static func seeds() throws -> [[UInt8]] { try made.get() }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let text = input.text
        guard let jws = try? JWS(compact: text, maximumBytes: 5000) else {
            try require((try? MAAToken(compact: text)) == nil || input.count > 5000, "a token that is no signed message")
            return false
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let payload = planted(jws.payloadBytes, instead: jws.payloadBytes.last != 0x7D ? [] : jws.payloadBytes)
        try require(
            parts.count == 3 && parts[1] == Base64.encodeURL(payload) && parts[2] == Base64.encodeURL(jws.signature),
            "its parts are not its text")
        try require(Array((parts[0] + "." + parts[1]).utf8) == jws.signingInput, "what is signed is not its text")
        try require(jws.header["crit"] == nil && jws.header["b64"] == nil, "an extension is taken")
        _ = try? jws.certificateChain
        let own = try key.get().publicKey
        for algorithm in JWSAlgorithm.allCases where (try? jws.verify(with: own, algorithm: algorithm)) != nil {
            try require(try isOurs(jws), "a message counts as signed that was not")
        }
        guard let token = try? MAAToken(compact: text) else { return true }
        let lines = ShownClaims.lines(token.claims)
        try require(lines.allSatisfy(\.isOneLine), "a claim breaks its line")
        _ = (token.shownHeader, token.publicAuthority, token.encryptionKey, token.signingKeyID)
        var demands = TokenVerification.Demands(authority: authority, time: time)
        demands.nonce = "n"
        let verification = TokenVerification(token, keys: try published.get(), demands: demands)
        try require(verification.checks.allSatisfy { $0.detail.isOneLine }, "a detail breaks its line")
        if verification.isVerified { try require(try isOurs(jws), "a token counts as verified that was not signed") }
        demands.kind = .azurevm
        demands.runtimeData = RuntimeDataForm(jws.payloadBytes)
        demands.report = [UInt8](repeating: 0, count: 1184)
        _ = TokenVerification(token, keys: nil, demands: demands)
        return true
    }

    private static func isOurs(_ jws: JWS) throws -> Bool {
        try made.get().contains { try JWS(compact: $0.text, maximumBytes: 5000).signingInput == jws.signingInput }
    }
}

private enum JWKTarget {
    @Sendable static func seeds() throws -> [[UInt8]] {
        let certificate = try SampleChain.certificates.get()[1]
        let key = try certificate.publicKey
        let ec = JWKText.ec(key, kid: "e")
        let numbers = try PrivateKey.generateRSA(bits: 2048).publicKey.rsaNumbers!
        let certified = "{\"kty\":\"EC\",\"kid\":\"c\",\"use\":\"sig\",\"x5c\":[\"\(Base64.encode(certificate.der))\"]}"
        let own = "{\"kty\":\"EC-HSM\",\"key_ops\":[\"verify\"],\"alg\":\"ES256\"," + ec.dropFirst("{\"kty\":\"EC\",".count)
        return [
            "{\"keys\":[\(ec)]}", "{\"keys\":[\(JWKText.rsa(numbers, kid: "r")),{\"kty\":\"oct\"}]}", "{\"keys\":[\(certified),\(own)]}",
        ].map { Array($0.utf8) }
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        guard let set = try? JWKSet(parsing: input, maximumKeys: 4) else { return false }
        try require(set.keys.count + set.skipped.count <= 4, "\(set.keys.count) keys and \(set.skipped.count) that are skipped")
        try require(set.skipped.allSatisfy(\.isOneLine), "a complaint breaks its line")
        for key in set.keys {
            let text: String
            if let numbers = key.publicKey.rsaNumbers {
                try require(numbers.n.first != 0 && numbers.n.count >= 64, "an RSA modulus of \(numbers.n.count) bytes")
                let other = planted(numbers, instead: input.count % 4 == 3 ? RSAPublicNumbers(n: numbers.n, e: [5]) : numbers)
                text = JWKText.rsa(other, kid: "x")
            } else {
                let curve: String
                switch key.publicKey.kind {
                case .ec(let known): curve = known.rawValue
                case .rsa, .other: throw BrokenProperty(description: "a key of another kind")
                }
                text = JWKText.ec(key.publicKey, kid: "x").replacing("P-256", with: curve)
            }
            let again = try JWK(try JSONCursor.parse(Array(text.utf8)))
            try require(again.publicKey == key.publicKey, "written again it is another key")
            if let kid = key.kid { try require(set.keys(withID: kid).contains { $0.publicKey == key.publicKey }, "not found by its kid") }
        }
        return !set.keys.isEmpty
    }
}
