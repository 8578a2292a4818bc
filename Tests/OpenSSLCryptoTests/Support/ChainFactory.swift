import Issuing
import OpenSSLCrypto

/// Small certificate chains of tests: a root, an intermediate and a server's leaf.
struct ChainFactory {
    static let now: Int64 = 1_800_000_000
    static let day: Int64 = 86_400

    let root: Certificate
    let intermediate: Certificate
    let leaf: Certificate
    let intermediateKey: PrivateKey

    init(
        host: String = "vault.example", leafNotAfter: Int64 = now + 30 * day, leafNotBefore: Int64 = now - 30 * day,
        change: (inout CertificateBuilder) -> Void = { _ in }
    ) throws {
        let rootKey = try ReferenceKeys.p384.get()
        intermediateKey = try ReferenceKeys.p256.get()
        let leafKey = try ReferenceKeys.rsa.get()
        root = try Self.authority("Test root", issuer: "Test root").sign(
            publicKey: rootKey.publicKey, with: rootKey, algorithm: .ecdsa(.sha384))
        intermediate = try Self.authority("Test intermediate", issuer: "Test root").sign(
            publicKey: intermediateKey.publicKey, with: rootKey, algorithm: .ecdsa(.sha384))
        var builder = CertificateBuilder(
            subject: [("CN", "leaf")], issuer: [("CN", "Test intermediate")], notBefore: leafNotBefore, notAfter: leafNotAfter)
        builder.isCertificateAuthority = false
        builder.keyUsage = .digitalSignature
        builder.extendedKeyUsage = ["1.3.6.1.5.5.7.3.1"]
        builder.dnsNames = [host]
        change(&builder)
        leaf = try builder.sign(publicKey: leafKey.publicKey, with: intermediateKey, algorithm: .ecdsa(.sha256))
    }

    static func authority(_ name: String, issuer: String) -> CertificateBuilder {
        var builder = CertificateBuilder(
            subject: [("CN", name)], issuer: [("CN", issuer)], notBefore: now - 365 * day, notAfter: now + 365 * day)
        builder.isCertificateAuthority = true
        builder.keyUsage = [.keyCertSign, .cRLSign]
        return builder
    }
}
