package import UVMEndorsements
package import OpenSSLCrypto
internal import StrictJSON

/// A publisher of UVM endorsements that is nobody: simulators and fixture evidence use it so that the whole chain verifies offline.
///
/// Its endorsements are correct in every detail and under its own root. They verify only where `trustedIssuer` is put on a policy's list.
package struct UVMFixture: Sendable {
    /// Keys of all three certificates.
    package enum Keys: Sendable {
        /// As Microsoft has: PS384, certificates signed with PKCS #1 v1.5 and SHA-384. Making them takes a second or so.
        case rsa3072
        /// ES384. Fast.
        case p384
    }

    /// The leaf's extended key usage, under the private enterprise number that RFC 5612 reserves for documentation.
    package static let extendedKeyUsage = "1.3.6.1.4.1.32473.59.1.2"
    package static let feed = "Fixture-AMD-UVM"

    /// Leaf, certificate authority, root.
    package let certificates: [Certificate]
    /// did:x509 identifier of the root's fingerprint and the leaf's extended key usage.
    package let issuer: String
    package let feed: String
    package let key: PrivateKey
    private let algorithm: COSEAlgorithm

    /// Makes new keys and certificates, valid from `notBefore` to `notAfter` (seconds since 1970).
    package init(_ keys: Keys = .p384, notBefore: Int64, notAfter: Int64) throws(CryptoError) {
        let root = try Self.makeKey(keys)
        let authority = try Self.makeKey(keys)
        let leaf = try Self.makeKey(keys)
        let scheme: SignatureAlgorithm = keys == .p384 ? .ecdsa(.sha384) : .rsaPKCS1(.sha384)
        let names = ["Fixture UVM Root", "Fixture UVM CA", "Fixture UVM Signer"]
        var certificates: [Certificate] = []
        for (index, key) in [root, authority, leaf].enumerated() {
            var builder = CertificateBuilder(
                subject: [("CN", names[index])], issuer: [("CN", names[max(0, index - 1)])], notBefore: notBefore, notAfter: notAfter)
            builder.serial = UInt64(index + 1)
            builder.isCertificateAuthority = index < 2
            builder.keyUsage = index < 2 ? [.keyCertSign] : [.digitalSignature]
            builder.extendedKeyUsage = index < 2 ? [] : [Self.extendedKeyUsage]
            let signer = index == 2 ? authority : root
            certificates.append(try builder.sign(publicKey: key.publicKey, with: signer, algorithm: scheme))
        }
        try self.init(key: leaf, certificates: certificates.reversed(), issuer: Self.issuer(under: certificates[0]))
    }

    /// Takes a stored identity: the leaf's private key, the chain (leaf first) and the identifier that goes with it.
    package init(key: PrivateKey, certificates: [Certificate], issuer: String, feed: String = UVMFixture.feed) throws(CryptoError) {
        let accepted: [COSEAlgorithm] = [.ps384, .es384, .es256, .es512]
        guard let algorithm = accepted.first(where: { $0.fits(key.publicKey.kind) }) else {
            throw CryptoError(operation: "choosing a COSE algorithm", reason: "the key is neither RSA nor on a NIST curve")
        }
        self.key = key
        self.certificates = certificates
        self.issuer = issuer
        self.feed = feed
        self.algorithm = algorithm
    }

    /// The identifier of a fixture's publisher under that root.
    package static func issuer(under root: Certificate) -> String {
        "did:x509:0:sha256:\(Base64.encodeURL(root.sha256))::eku:\(extendedKeyUsage)"
    }

    /// What a policy must list to accept this fixture's endorsements.
    package var trustedIssuer: TrustedIssuer { TrustedIssuer(issuer: issuer, feed: feed) }

    /// An encoded endorsement of a launch measurement (48 bytes), signed at `signingTime` (seconds since 1970).
    package func endorse(measurement: [UInt8], svn: UInt64, signingTime: Int64, form: UVMEndorsement.Form = .json) throws(CryptoError)
        -> [UInt8]
    {
        let signed = CBORValue.tagged(1, CBORValue(signingTime))
        let chain = CBORValue.array(certificates.map { .bytes($0.der) })
        let thumbprint: CBORValue = [CBORValue(COSEHashAlgorithm.sha256.rawValue), .bytes(certificates.first.map(\.sha256) ?? [])]
        switch form {
        case .json:
            return try sign(
                [
                    (1, CBORValue(algorithm.rawValue)), (3, "application/json"), (33, chain), (34, thumbprint), ("iss", .text(issuer)),
                    ("feed", .text(feed)), ("signingtime", signed),
                ], payload: Self.document(measurement, svn))
        case .hashEnvelope:
            let claims = CBORMap([(1, .text(issuer)), (2, .text(feed)), (6, signed), ("svn", .unsigned(svn))])
            return try sign(
                [
                    (1, CBORValue(algorithm.rawValue)), (15, .map(claims)), (33, chain), (34, thumbprint),
                    (258, CBORValue(COSEHashAlgorithm.sha384.rawValue)), (259, "application/octet-stream"),
                ], payload: measurement)
        }
    }

    /// A message with these protected headers and payload, correctly signed whatever they are.
    package func sign(_ header: [(CBORValue, CBORValue)], unprotected: [(CBORValue, CBORValue)] = [], payload: [UInt8]) throws(CryptoError)
        -> [UInt8]
    {
        let protected = CBORValue.map(CBORMap(header)).encoded()
        let signature = try key.sign(COSESign1.signedBytes(protected: protected, payload: payload), algorithm: algorithm.signatureAlgorithm)
        let unprotected = CBORMap(unprotected)
        return COSESign1(protected: protected, unprotected: unprotected, payload: payload, signature: signature).encoded(
            unprotected: unprotected)
    }

    private static func makeKey(_ keys: Keys) throws(CryptoError) -> PrivateKey {
        switch keys {
        case .rsa3072: try .generateRSA(bits: 3072)
        case .p384: try .generateEC(.p384)
        }
    }

    private static func document(_ measurement: [UInt8], _ svn: UInt64) -> [UInt8] {
        let members: JSONObject = [
            "x-ms-sevsnpvm-launchmeasurement": .string(Hex.encode(measurement)), "x-ms-sevsnpvm-guestsvn": .string(String(svn)),
        ]
        return JSONValue.object(members).serialized()
    }
}
