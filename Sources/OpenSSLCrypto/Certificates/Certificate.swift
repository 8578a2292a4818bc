internal import COpenSSL

/// An X.509 certificate. Immutable; may be used from several threads.
package final class Certificate: @unchecked Sendable {
    // Unchecked because of the pointer: `init` has OpenSSL fill its caches, and afterwards the certificate is only read.
    let pointer: OpaquePointer
    /// The bytes as they arrived.
    package let der: [UInt8]
    /// First second of validity, since 1970.
    package let notBefore: Int64
    /// Last second of validity, since 1970.
    package let notAfter: Int64

    /// Longest certificate that is parsed.
    package static let maximumByteCount = 64 * 1024

    /// Parses one certificate without anything after it. Does not judge it: names, dates, extensions and signature are the caller's
    /// questions.
    package init(der: [UInt8]) throws(CryptoError) {
        guard !der.isEmpty, der.count <= Self.maximumByteCount else {
            throw CryptoError(operation: Self.operation, reason: "\(der.count) bytes is not the size of a certificate")
        }
        guard let (parsed, isWhole) = decodeDER(der, { d2i_X509(nil, &$0, $1) }) else {
            throw OpenSSLErrorQueue.error(Self.operation, otherwise: "not a certificate")
        }
        guard isWhole else {
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
    package var pem: String { PEMText.text(der, label: "CERTIFICATE") }

    /// PEM text of a certificate that is passed on: that it has the three parts of one (RFC 5280, section 4.1) is checked, what is in them
    /// is not.
    package static func pem(der: [UInt8]) throws(CryptoError) -> String {
        guard der.count <= maximumByteCount else {
            throw CryptoError(operation: operation, reason: "\(der.count) bytes is not the size of a certificate")
        }
        guard let (parts, isWhole) = decodeDER(der, { d2i_ASN1_SEQUENCE_ANY(nil, &$0, $1) }) else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "not a certificate")
        }
        defer { broker_sequence_free(parts) }
        let types = (0..<broker_sequence_count(parts)).map { broker_sequence_type(parts, $0) }
        // 0x80 in the second byte is BER's indefinite length.
        guard isWhole, der[1] != 0x80, types == [V_ASN1_SEQUENCE, V_ASN1_SEQUENCE, V_ASN1_BIT_STRING] else {
            throw CryptoError(operation: operation, reason: "not the three parts of a certificate")
        }
        return PEMText.text(der, label: "CERTIFICATE")
    }

    /// SHA-256 of `der`.
    package var sha256: [UInt8] { DigestAlgorithm.sha256.digest(der) }

    /// The key inside, of whatever kind; an RSA key of an unusable size is an error.
    package var publicKey: PublicKey {
        get throws(CryptoError) {
            OpenSSLErrorQueue.clear()
            guard let key = X509_get0_pubkey(pointer), EVP_PKEY_up_ref(key) == 1 else {
                throw OpenSSLErrorQueue.error("reading a certificate's key", otherwise: "no key that OpenSSL knows")
            }
            return try PublicKey(KeyHandle(owning: key))
        }
    }

    /// SHA-256 of the SubjectPublicKeyInfo in DER.
    package var publicKeySHA256: [UInt8] {
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
    package func isValid(at time: Int64) -> Bool { notBefore <= time && time <= notAfter }

    /// Whether `issuer`'s key made this certificate's signature. Names, dates and extensions do not count.
    package func isSigned(by issuer: Certificate) -> Bool {
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
    package static func == (left: Certificate, right: Certificate) -> Bool { left.der == right.der }

    package func hash(into hasher: inout Hasher) { hasher.combine(der) }
}
