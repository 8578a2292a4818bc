internal import COpenSSL

/// An X.509 certificate revocation list (RFC 5280, section 5). Immutable; may be used from several threads.
package final class RevocationList: @unchecked Sendable {
    // Unchecked because of the pointer: `init` has OpenSSL fill its caches, and afterwards the list is only read.
    private let pointer: OpaquePointer
    /// The bytes as they arrived.
    package let der: [UInt8]
    /// thisUpdate: when the list was made, in seconds since 1970.
    package let thisUpdate: Int64
    /// nextUpdate: until when there is a newer one, in seconds since 1970; `nil` where the list does not say.
    package let nextUpdate: Int64?

    /// Longest list that is parsed.
    package static let maximumByteCount = 256 * 1024

    /// Parses one list in DER without anything after it. Signature and times are the caller's questions.
    package init(der: [UInt8]) throws(CryptoError) {
        guard !der.isEmpty, der.count <= Self.maximumByteCount else {
            throw CryptoError(operation: Self.operation, reason: "\(der.count) bytes is not the size of a revocation list")
        }
        guard let (parsed, isWhole) = decodeDER(der, { d2i_X509_CRL(nil, &$0, $1) }) else {
            throw OpenSSLErrorQueue.error(Self.operation, otherwise: "not a revocation list")
        }
        func refuse(_ reason: String) -> CryptoError {
            X509_CRL_free(parsed)
            return CryptoError(operation: Self.operation, reason: reason)
        }
        guard isWhole else { throw refuse("bytes follow the revocation list") }
        guard let thisUpdate = CertificateTime.seconds(X509_CRL_get0_lastUpdate(parsed)) else { throw refuse("thisUpdate is no time") }
        let next = X509_CRL_get0_nextUpdate(parsed)
        let nextUpdate = CertificateTime.seconds(next)
        guard next == nil || nextUpdate != nil else { throw refuse("nextUpdate is no time") }
        // Lists that speak of a part of the certificates, or of other issuers' or of changes only, need rules that nobody here applies.
        for index in 0..<max(0, X509_CRL_get_ext_count(parsed)) {
            guard let item = X509_CRL_get_ext(parsed, index), X509_EXTENSION_get_critical(item) == 1 else { continue }
            throw refuse("unknown critical extension " + ObjectIdentifier.text(X509_EXTENSION_get_object(item)))
        }
        OpenSSLErrorQueue.clear()
        pointer = parsed
        self.der = der
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
    }

    /// The same for a list in DER or in PEM.
    package convenience init(pemOrDER content: [UInt8]) throws(CryptoError) {
        if content.first == 0x30 {
            try self.init(der: content)
            return
        }
        guard content.count <= Self.maximumByteCount * 2 else {
            throw CryptoError(operation: Self.operation, reason: "\(content.count) bytes is not the size of a revocation list")
        }
        var blocks = PEMBlocks(content, label: "X509 CRL")
        guard let block = try blocks.next(), try blocks.next() == nil else {
            throw CryptoError(operation: Self.operation, reason: "neither DER nor PEM of one revocation list")
        }
        try self.init(der: block)
    }

    deinit { X509_CRL_free(pointer) }

    /// SHA-256 of `der`.
    package var sha256: [UInt8] { DigestAlgorithm.sha256.digest(der) }

    /// The issuer as RFC 2253 text. Everything outside of printable ASCII is escaped.
    package var issuer: String { DistinguishedName.text(X509_CRL_get_issuer(pointer)) }

    /// The issuer's common name; nil where there is none or more than one.
    package var issuerCommonName: String? { DistinguishedName.commonName(X509_CRL_get_issuer(pointer)) }

    /// The outer signature algorithm.
    package var signatureScheme: Certificate.SignatureScheme {
        var algorithm: UnsafePointer<X509_ALGOR>?
        X509_CRL_get0_signature(pointer, nil, &algorithm)
        return Certificate.SignatureScheme(algorithm)
    }

    /// Whether `issuer`'s key made this list's signature. Names and times do not count.
    package func isSigned(by issuer: Certificate) -> Bool {
        OpenSSLErrorQueue.clear()
        guard let key = X509_get0_pubkey(issuer.pointer), X509_CRL_verify(pointer, key) == 1 else {
            OpenSSLErrorQueue.clear()
            return false
        }
        return true
    }

    /// Whether the list names `certificate`, by its serial number. That the list is its issuer's is the caller's question.
    package func revokes(_ certificate: Certificate) -> Bool {
        var entry: OpaquePointer?
        let found = X509_CRL_get0_by_serial(pointer, &entry, X509_get_serialNumber(certificate.pointer))
        OpenSSLErrorQueue.clear()
        return found != 0
    }

    private static let operation = "reading a revocation list"
}
