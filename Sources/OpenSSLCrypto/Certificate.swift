internal import COpenSSL

/// An X.509 certificate. Immutable; may be used from several threads.
public final class Certificate: @unchecked Sendable {
    // Unchecked because of the pointer: `init` has OpenSSL fill its caches, and afterwards the certificate is only read.
    let pointer: OpaquePointer
    /// The bytes as they arrived.
    public let der: [UInt8]
    /// First second of validity, since 1970.
    public let notBefore: Int64
    /// Last second of validity, since 1970.
    public let notAfter: Int64

    /// Longest certificate that is parsed.
    public static let maximumByteCount = 64 * 1024

    /// Parses one certificate without anything after it. Does not judge it: names, dates, extensions and signature are the caller's questions.
    public init(der: [UInt8]) throws(CryptoError) {
        guard !der.isEmpty, der.count <= Self.maximumByteCount else {
            throw CryptoError(operation: Self.operation, reason: "\(der.count) bytes is not the size of a certificate")
        }
        OpenSSLErrorQueue.clear()
        var used = 0
        let parsed = der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
            var cursor = bytes.baseAddress
            let certificate = d2i_X509(nil, &cursor, bytes.count)
            used = bytes.baseAddress.flatMap { start in cursor.map { $0 - start } } ?? 0
            return certificate
        }
        guard let parsed else { throw OpenSSLErrorQueue.error(Self.operation, otherwise: "not a certificate") }
        guard used == der.count else {
            X509_free(parsed)
            throw CryptoError(operation: Self.operation, reason: "bytes follow the certificate")
        }
        guard let notBefore = CertificateTime.seconds(X509_get0_notBefore(parsed)),
            let notAfter = CertificateTime.seconds(X509_get0_notAfter(parsed))
        else {
            X509_free(parsed)
            throw OpenSSLErrorQueue.error(Self.operation, otherwise: "the validity is not a pair of times")
        }
        // Reads the extensions into the caches of the certificate, here where nobody else has it yet.
        X509_check_purpose(parsed, -1, 0)
        OpenSSLErrorQueue.clear()
        pointer = parsed
        self.der = der
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    deinit { X509_free(pointer) }

    /// PEM text (RFC 7468), ended by a line feed.
    public var pem: String { PEMText.text(der, label: "CERTIFICATE") }

    /// PEM text of a certificate that is passed on: that it has the three parts of one (RFC 5280, section 4.1) is checked, what is in them is not.
    public static func pem(der: [UInt8]) throws(CryptoError) -> String {
        guard der.count <= maximumByteCount else {
            throw CryptoError(operation: operation, reason: "\(der.count) bytes is not the size of a certificate")
        }
        try der.withUnsafeBytes { bytes in
            Result { () throws(CryptoError) in
                var parts = try DERReader.sequence(in: bytes, operation)
                for _ in 0..<2 { _ = try parts.element(V_ASN1_SEQUENCE, isConstructed: true) }
                _ = try parts.element(V_ASN1_BIT_STRING)
                try parts.requireEnd()
            }
        }.get()
        return PEMText.text(der, label: "CERTIFICATE")
    }

    /// SHA-256 of `der`.
    public var sha256: [UInt8] { DigestAlgorithm.sha256.digest(der) }

    /// The key inside, of whatever kind; an RSA key of an unusable size is an error.
    public var publicKey: PublicKey {
        get throws(CryptoError) {
            OpenSSLErrorQueue.clear()
            guard let key = X509_get0_pubkey(pointer), EVP_PKEY_up_ref(key) == 1 else {
                throw OpenSSLErrorQueue.error("reading a certificate's key", otherwise: "no key that OpenSSL knows")
            }
            return try PublicKey(KeyHandle(owning: key))
        }
    }

    /// SHA-256 of the SubjectPublicKeyInfo in DER.
    public var publicKeySHA256: [UInt8] {
        let info = X509_get_X509_PUBKEY(pointer)
        let length = i2d_X509_PUBKEY(info, nil)
        guard length > 0 else { return [] }
        let encoded = [UInt8](unsafeUninitializedCapacity: Int(length)) { output, count in
            var cursor = output.baseAddress
            count = max(0, Int(i2d_X509_PUBKEY(info, &cursor)))
        }
        return DigestAlgorithm.sha256.digest(encoded)
    }

    /// Whether `time`, in seconds since 1970, lies within the validity; both ends belong to it.
    public func isValid(at time: Int64) -> Bool {
        notBefore <= time && time <= notAfter
    }

    /// Whether `issuer`'s key made this certificate's signature. Names, dates and extensions do not count.
    public func isSigned(by issuer: Certificate) -> Bool {
        OpenSSLErrorQueue.clear()
        guard let key = X509_get0_pubkey(issuer.pointer), X509_verify(pointer, key) == 1 else {
            OpenSSLErrorQueue.clear()
            return false
        }
        return true
    }

    static let operation = "reading a certificate"
}

extension Certificate: Hashable {
    /// Whether both are the same certificate, byte by byte.
    public static func == (left: Certificate, right: Certificate) -> Bool { left.der == right.der }

    public func hash(into hasher: inout Hasher) { hasher.combine(der) }
}
