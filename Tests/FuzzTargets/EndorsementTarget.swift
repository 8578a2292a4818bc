internal import Issuing
internal import OpenSSLCrypto
internal import PlainText
internal import UVMEndorsements

extension FuzzTarget {
    /// Signed statements in COSE: nothing counts as verified but what was signed here.
    static let endorsement = FuzzTarget("endorsement", maximumBytes: 8192, seeds: EndorsementTarget.seeds, run: EndorsementTarget.run)
    static let didX509 = FuzzTarget("did-x509", maximumBytes: 512, seeds: IdentifierTarget.seeds, run: IdentifierTarget.run)
    static let ledgerKeys = FuzzTarget("ledger-keys", seeds: LedgerTarget.seeds, run: LedgerTarget.run)
}

private enum EndorsementTarget {
    private static let time: Int64 = 1_750_000_000
    private static let signer = Result { try UVMFixture(notBefore: 1_700_000_000, notAfter: 1_900_000_000) }
    private static let measurement = [UInt8](0..<48)

    private static let made = Result { () throws -> [[UInt8]] in
        let fixture = try signer.get()
        let endorsements = try [UVMEndorsement.Form.json, .hashEnvelope].map {
            try fixture.endorse(measurement: measurement, svn: 7, signingTime: time, form: $0)
        }
        let receipt = COSESign1(
            protected: CBORValue.map(CBORMap([(1, -35), (4, .bytes(Array("key".utf8))), (15, .map(CBORMap([(1, "ledger")]))), (395, 2)]))
                .encoded(), unprotected: CBORMap(), payload: nil, signature: [1])
        let leaf = CBORValue.array([.bytes(measurement.suffix(32)), "ce:2.1:ab", .bytes(measurement.suffix(32))])
        let proof = CBORValue.map(CBORMap([(1, leaf), (2, [[.boolean(true), .bytes(measurement.suffix(32))]])]))
        let inner = receipt.encoded(unprotected: CBORMap([(396, .map(CBORMap([(-1, [.bytes(proof.encoded())])])))]))
        let message = try COSESign1(endorsements[0])
        return endorsements + [message.encoded(unprotected: CBORMap([(394, [.bytes(inner)])])), try trustList(fixture)]
    }

    private static func trustList(_ fixture: UVMFixture) throws -> [UInt8] {
        let point = try SampleChain.key.get().publicKey.ecPoint ?? ([], [])
        let key = CBORMap([(1, 2), (-1, 1), (2, .bytes(Array("key".utf8))), (-2, .bytes(point.x)), (-3, .bytes(point.y))])
        let list = CBORMap([("ledger.example", .map(CBORMap([(1, [.map(key)])])))])
        let claims = CBORMap([(1, .text(fixture.issuer)), (2, .text(fixture.feed)), (6, .tagged(1, CBORValue(time))), ("svn", 1)])
        return try fixture.sign(
            [
                (1, -35), (3, .text(TransparencyTrustList.contentType)), (15, .map(claims)),
                (33, .array(fixture.certificates.map { .bytes($0.der) })),
                (34, [-16, .bytes(fixture.certificates[0].sha256)]),
            ], payload: CBORValue.map(list).encoded())
    }

    @Sendable static func seeds() throws -> [[UInt8]] { try made.get() }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let fixture = try signer.get()
        var policy = UVMEndorsementVerifier.Policy()
        policy.trustedIssuers = [fixture.trustedIssuer]
        policy.time = time
        let result = UVMEndorsementVerifier().verify(input, policy: policy)
        try require(result.isVerified == result.failures.isEmpty, "verified \(result.isVerified) with failures \(result.failures)")
        let list = TransparencyTrustList(cose: input, issuers: [fixture.trustedIssuer], time: time)
        if !list.verdict.isVerified { try require(list.keys.isEmpty, "keys of a list that is not verified") }
        for check in result.checks + list.verdict.checks { try require(check.detail.isOneLine, "the detail \(check.detail)") }
        guard let message = try? COSESign1(input) else {
            try require(!result.isVerified && !list.verdict.isVerified, "verified, and no message")
            return false
        }
        let again = try COSESign1(message.encoded(unprotected: message.unprotected))
        try require(again.protected == message.protected && again.payload == message.payload, "written again it is another message")
        let isVerified = planted(result.isVerified, instead: result.isVerified || message.payload?.contains { $0 > 0x7F } == true)
        if isVerified || list.verdict.isVerified {
            let isOurs = try made.get().contains { bytes in
                let own = try COSESign1(bytes)
                return own.protected == message.protected && own.payload == message.payload
            }
            try require(isOurs, "a message counts as verified that was not signed")
        }
        if let endorsement = try? UVMEndorsement(cose: input) {
            try require(endorsement.launchMeasurement.count == 48 && (2...10).contains(endorsement.certificates.count), "its bounds")
            return true
        }
        return list.verdict.statement != nil
    }
}

private enum IdentifierTarget {
    @Sendable static func seeds() -> [[UInt8]] {
        let digest = Base64.encodeURL([UInt8](0..<32))
        return [
            "did:x509:0:sha256:\(digest)::eku:1.3.6.1.4.1.311.76.59.1.2",
            "did:x509:0:sha256:\(digest)::subject:C:US:O:A%20B:CN:x::san:dns:a.example",
            "did:x509:0:sha512:\(Base64.encodeURL([UInt8](0..<64)))::fulcio-issuer:a.example%2Fb::san:email:a%40b.example",
            "did:x509:0:sha384:\(Base64.encodeURL([UInt8](0..<48)))::san:uri:https%3A%2F%2Fa",
        ].map { Array($0.utf8) }
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        guard let identifier = try? read(input.text) else { return false }
        try require(identifier.fingerprint.count == [.sha256: 32, .sha384: 48, .sha512: 64][identifier.fingerprintAlgorithm], "its digest")
        var text = "did:x509:0:\(identifier.fingerprintAlgorithm.rawValue):\(Base64.encodeURL(identifier.fingerprint))"
        for predicate in identifier.predicates {
            switch predicate {
            case .extendedKeyUsage(let usage): text += "::eku:\(usage)"
            case .alternativeName(let kind, let value): text += "::san:\(kind):\(value)"
            case .fulcioIssuer(let issuer): text += "::fulcio-issuer:\(issuer)"
            case .subject(let pairs): text += "::subject" + pairs.map { ":\($0.key):\($0.value)" }.joined()
            }
        }
        try require(decoded(input) == Array(text.utf8), "it says something else than its text: \(text)")
        let chain = try SampleChain.certificates.get()
        try require((try? identifier.resolve(chain.reversed())) == nil, "a foreign chain resolves it")
        return true
    }

    private static func read(_ text: String) throws -> DIDX509 {
        let found = Result { try DIDX509(text) }
        return try planted(found, instead: Result { try (try? found.get()) ?? DIDX509(String(text.dropLast())) }).get()
    }

    /// Without percent-encoding.
    private static func decoded(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            if byte == 0x25, let octet = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                result.append(octet)
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        return result
    }
}

private enum LedgerTarget {
    @Sendable static func seeds() throws -> [[UInt8]] {
        let key = JWKText.ec(try SampleChain.key.get().publicKey, kid: "ledger")
        return ["{\"keys\":[\(key)]}", "{\"keys\":[\(key),{\"kty\":\"RSA\"},\(key)]}"].map { Array($0.utf8) }
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        guard let keys = try? LedgerKeys(jwks: input, issuer: "ledger.example") else { return false }
        var both = keys
        both.add(keys)
        try require(planted(!keys.isEmpty, instead: input.count % 4 != 3) && !both.isEmpty, "no key, and not refused")
        return true
    }
}
