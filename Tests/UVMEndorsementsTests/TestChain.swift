import Issuing
import OpenSSLCrypto

@testable import UVMEndorsements

/// A chain of three P-384 certificates in which single properties can be changed.
struct TestChain {
    var leaf: CertificateBuilder
    var authority: CertificateBuilder
    var root: CertificateBuilder
    var algorithm = SignatureAlgorithm.ecdsa(.sha384)
    private let keys: [PrivateKey]

    init() throws {
        func builder(_ name: String, _ issuer: String, isAuthority: Bool) -> CertificateBuilder {
            var builder = CertificateBuilder(
                subject: [("CN", name)], issuer: [("CN", issuer)], notBefore: Publisher.now - Publisher.day,
                notAfter: Publisher.now + Publisher.day)
            builder.isCertificateAuthority = isAuthority
            builder.keyUsage = isAuthority ? [.keyCertSign] : [.digitalSignature]
            return builder
        }
        leaf = builder("Leaf", "Authority", isAuthority: false)
        leaf.extendedKeyUsage = ["1.2.3.4"]
        authority = builder("Authority", "Root", isAuthority: true)
        root = builder("Root", "Root", isAuthority: true)
        keys = try [.generateEC(.p384), .generateEC(.p384), .generateEC(.p384)]
    }

    /// Leaf first.
    func certificates() throws -> [Certificate] {
        try [
            leaf.sign(publicKey: keys[0].publicKey, with: keys[1], algorithm: algorithm),
            authority.sign(publicKey: keys[1].publicKey, with: keys[2], algorithm: algorithm),
            root.sign(publicKey: keys[2].publicKey, with: keys[2], algorithm: algorithm),
        ]
    }

    /// An endorsement signed with the leaf's key, and what a verifier that trusts the issuer says about it.
    func verdict(_ predicate: String = "eku:1.2.3.4", pinning position: Int = 2, signingTime: Int64 = Publisher.now) throws
        -> UVMVerificationResult
    {
        let certificates = try certificates()
        let fingerprint = Base64.encodeURL(certificates[position].sha256)
        let fixture = try UVMFixture(key: keys[0], certificates: certificates, issuer: "did:x509:0:sha256:\(fingerprint)::\(predicate)")
        let cose = try fixture.endorse(measurement: Publisher.measurement, svn: 1, signingTime: signingTime)
        return UVMEndorsementVerifier().verify(cose, policy: Publisher.policy(fixture))
    }
}
