internal import Issuing
internal import Glibc
package import HTTPTransport
package import OpenSSLCrypto

/// A certificate authority of a test's own: root, issuing authority and a leaf for one host, all RSA-2048, with the root in a file for
/// `TLSTrust`.
///
/// The file is removed when the value goes away.
package final class SigningChain: Sendable {
    package let root: Certificate
    package let issuing: Certificate
    package let leaf: Certificate
    package let leafKey: PrivateKey
    private let issuingKey: PrivateKey
    private let rootPath: String

    package init(host: String) throws {
        let rootKey = try PrivateKey.generateRSA(bits: 2048)
        issuingKey = try PrivateKey.generateRSA(bits: 2048)
        leafKey = try PrivateKey.generateRSA(bits: 2048)
        var builder = CertificateBuilder.forTest("Test Root")
        builder.isCertificateAuthority = true
        root = try builder.sign(publicKey: rootKey.publicKey, with: rootKey, algorithm: .rsaPKCS1(.sha256))
        builder.subject = [("CN", "Test Issuing Authority")]
        builder.serial = 2
        issuing = try builder.sign(publicKey: issuingKey.publicKey, with: rootKey, algorithm: .rsaPKCS1(.sha256))
        leaf = try Self.leaf(for: host, key: leafKey.publicKey, issuer: issuingKey)
        rootPath = try Self.write(root.pem)
    }

    deinit { unlink(rootPath) }

    /// Trusts this root and nothing else.
    package var trust: TLSTrust { TLSTrust(files: [rootPath], includesSystemDefaults: false) }

    /// Leaf, issuing authority, root: the order of `x5c` (KeyStores.md, "Release answer").
    package var certificates: [Certificate] { [leaf, issuing, root] }

    /// A further leaf of the same authority.
    package func leaf(for host: String, key: PublicKey, expired: Bool = false) throws -> Certificate {
        try Self.leaf(for: host, key: key, issuer: issuingKey, expired: expired)
    }

    private static func leaf(for host: String, key: PublicKey, issuer: PrivateKey, expired: Bool = false) throws -> Certificate {
        var builder = CertificateBuilder.forTest(host)
        builder.issuer = [("CN", "Test Issuing Authority")]
        builder.serial = 3
        builder.dnsNames = [host]
        if expired { builder.notAfter = builder.notBefore + 86_400 }
        return try builder.sign(publicKey: key, with: issuer, algorithm: .rsaPKCS1(.sha256))
    }

    private static func write(_ pem: String) throws -> String {
        var template = Array("/tmp/broker-test-root-XXXXXX".utf8CString)
        let descriptor = template.withUnsafeMutableBufferPointer { $0.baseAddress.map { mkstemp($0) } ?? -1 }
        guard descriptor >= 0 else { throw CannotWrite() }
        defer { close(descriptor) }
        let bytes = Array(pem.utf8)
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count else { throw CannotWrite() }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private struct CannotWrite: Error {}
}
