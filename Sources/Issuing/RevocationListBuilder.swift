package import OpenSSLCrypto
internal import COpenSSL

/// Makes real revocation lists for the fixture and the tests, of version 2 as AMD's are.
package struct RevocationListBuilder: Sendable {
    /// Attributes such as `("CN", "ARK-Milan")`; short names of OpenSSL.
    package var issuer: [(String, String)]
    /// Seconds since 1970.
    package var thisUpdate: Int64
    /// Seconds since 1970; nil leaves it out.
    package var nextUpdate: Int64?
    /// Serial numbers.
    package var revoked: [UInt64] = []
    /// Object identifier of a critical extension with an empty value, for lists that nobody may use.
    package var criticalExtension: String?

    package init(issuer: [(String, String)], thisUpdate: Int64, nextUpdate: Int64?) {
        self.issuer = issuer
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
    }

    /// The list in DER, signed with the issuer's key.
    package func sign(with key: PrivateKey, algorithm: SignatureAlgorithm) throws(CryptoError) -> [UInt8] {
        OpenSSLErrorQueue.clear()
        guard let list = X509_CRL_new(), let name = X509_NAME_new() else { throw CertificateBuilder.failure("no memory") }
        defer {
            X509_CRL_free(list)
            X509_NAME_free(name)
        }
        try CertificateBuilder.write(issuer, into: name)
        guard X509_CRL_set_version(list, 1) == 1, X509_CRL_set_issuer_name(list, name) == 1 else {
            throw CertificateBuilder.failure("the issuer cannot be written")
        }
        try Self.with(thisUpdate) { X509_CRL_set1_lastUpdate(list, $0) }
        if let nextUpdate { try Self.with(nextUpdate) { X509_CRL_set1_nextUpdate(list, $0) } }
        for serial in revoked { try add(serial, to: list) }
        if let criticalExtension {
            guard let object = OBJ_txt2obj(criticalExtension, 1), let value = ASN1_OCTET_STRING_new() else {
                throw CertificateBuilder.failure("\(criticalExtension) is not an object identifier")
            }
            defer {
                ASN1_OBJECT_free(object)
                ASN1_OCTET_STRING_free(value)
            }
            guard let made = X509_EXTENSION_create_by_OBJ(nil, object, 1, value) else { throw CertificateBuilder.failure("no memory") }
            defer { X509_EXTENSION_free(made) }
            guard X509_CRL_add_ext(list, made, -1) == 1 else { throw CertificateBuilder.failure("the extension cannot be written") }
        }
        _ = X509_CRL_sort(list)
        guard let context = EVP_MD_CTX_new() else { throw CertificateBuilder.failure("no memory") }
        defer { EVP_MD_CTX_free(context) }
        try key.begin(algorithm, in: context)
        guard X509_CRL_sign_ctx(list, context) > 0 else { throw CertificateBuilder.failure("the key cannot sign this way") }
        let length = i2d_X509_CRL(list, nil)
        guard length > 0 else { throw CertificateBuilder.failure("the list cannot be written") }
        return [UInt8](unsafeUninitializedCapacity: Int(length)) { output, count in
            var cursor = output.baseAddress
            count = max(0, Int(i2d_X509_CRL(list, &cursor)))
        }
    }

    private func add(_ serial: UInt64, to list: OpaquePointer) throws(CryptoError) {
        guard let entry = X509_REVOKED_new(), let number = ASN1_INTEGER_new() else { throw CertificateBuilder.failure("no memory") }
        defer { ASN1_INTEGER_free(number) }
        guard ASN1_INTEGER_set_uint64(number, serial) == 1, X509_REVOKED_set_serialNumber(entry, number) == 1 else {
            throw CertificateBuilder.failure("a serial number cannot be written")
        }
        try Self.with(thisUpdate) { X509_REVOKED_set_revocationDate(entry, $0) }
        guard X509_CRL_add0_revoked(list, entry) == 1 else { throw CertificateBuilder.failure("an entry cannot be written") }
    }

    private static func with(_ seconds: Int64, _ body: (UnsafeMutablePointer<ASN1_TIME>) -> Int32) throws(CryptoError) {
        guard let time = ASN1_TIME_set(nil, time_t(seconds)) else { throw CertificateBuilder.failure("a time cannot be written") }
        defer { ASN1_TIME_free(time) }
        guard body(time) == 1 else { throw CertificateBuilder.failure("a time cannot be written") }
    }
}
