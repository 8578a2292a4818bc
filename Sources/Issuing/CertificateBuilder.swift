package import OpenSSLCrypto
internal import COpenSSL

/// Makes real certificates for the fixture and the simulators. The names are written as UTF-8 strings in the order given.
package struct CertificateBuilder: Sendable {
    /// Attributes such as `("CN", "ARK-Milan")`; short names of OpenSSL.
    package var subject: [(String, String)]
    package var issuer: [(String, String)]
    /// 0 is allowed, as AMD's leaf certificates have it.
    package var serial: UInt64 = 1
    /// Seconds since 1970.
    package var notBefore: Int64
    /// Seconds since 1970.
    package var notAfter: Int64
    /// basicConstraints, critical; nil leaves it out.
    package var isCertificateAuthority: Bool?
    /// pathLenConstraint; only with `isCertificateAuthority`.
    package var pathLength: Int?
    /// keyUsage, critical; empty leaves it out.
    package var keyUsage: KeyUsage = []
    /// Subject alternative names; the text of an IP address becomes an address.
    package var dnsNames: [String] = []
    /// Object identifiers in dotted decimal.
    package var extendedKeyUsage: [String] = []
    /// Further extensions; `value` is the content of extnValue and is not wrapped again.
    package var extraExtensions: [(oid: String, critical: Bool, value: [UInt8])] = []
    /// Adds subjectKeyIdentifier and authorityKeyIdentifier, which strict clients (Python 3.13) demand. When nil: with basicConstraints
    /// yes, without no, since AMD's leaf certificates have neither.
    package var includesKeyIdentifiers: Bool?

    package init(subject: [(String, String)], issuer: [(String, String)], notBefore: Int64, notAfter: Int64) {
        self.subject = subject
        self.issuer = issuer
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// Signs a certificate for `publicKey` with the issuer's key.
    package func sign(publicKey: PublicKey, with key: PrivateKey, algorithm: SignatureAlgorithm) throws(CryptoError) -> Certificate {
        OpenSSLErrorQueue.clear()
        guard let certificate = X509_new() else { throw Self.failure("no memory") }
        defer { X509_free(certificate) }
        guard X509_set_version(certificate, 2) == 1, ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1,
            Self.set(X509_getm_notBefore(certificate), to: notBefore), Self.set(X509_getm_notAfter(certificate), to: notAfter),
            X509_set_pubkey(certificate, publicKey.handle.pointer) == 1
        else { throw Self.failure("the serial number, the validity or the key cannot be written") }
        try Self.write(subject, into: X509_get_subject_name(certificate))
        try Self.write(issuer, into: X509_get_issuer_name(certificate))
        try addExtensions(to: certificate, publicKey: publicKey, issuerKey: key.publicKey)
        guard let context = EVP_MD_CTX_new() else { throw Self.failure("no memory") }
        defer { EVP_MD_CTX_free(context) }
        try key.begin(algorithm, in: context)
        guard X509_sign_ctx(certificate, context) > 0 else { throw Self.failure("the key cannot sign this way") }
        let length = i2d_X509(certificate, nil)
        guard length > 0 else { throw Self.failure("the certificate cannot be written") }
        let der = [UInt8](unsafeUninitializedCapacity: Int(length)) { output, count in
            var cursor = output.baseAddress
            count = max(0, Int(i2d_X509(certificate, &cursor)))
        }
        return try Certificate(der: der)
    }

    static func write(_ attributes: [(String, String)], into name: OpaquePointer?) throws(CryptoError) {
        for (type, value) in attributes {
            let bytes = Array(value.utf8)
            guard X509_NAME_add_entry_by_txt(name, type, broker_utf8_string, bytes, Int32(bytes.count), -1, 0) == 1 else {
                throw failure("the name attribute \(type) cannot be written")
            }
        }
    }

    /// Sets `time`; false for a year that X.509 cannot write.
    static func set(_ time: UnsafeMutablePointer<ASN1_TIME>?, to seconds: Int64) -> Bool {
        ASN1_TIME_set(time, time_t(seconds)) != nil
    }

    static func failure(_ fallback: String) -> CryptoError { OpenSSLErrorQueue.error("making a certificate", otherwise: fallback) }
}
