internal import COpenSSL

/// Makes new EC keys.
enum ECKeyGeneration {
    static func key(_ curve: EllipticCurve) throws(CryptoError) -> KeyHandle {
        let operation = "generating an EC key"
        OpenSSLErrorQueue.clear()
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "no memory")
        }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, curve.groupName) == 1,
            EVP_PKEY_generate(context, &key) == 1, let key
        else { throw OpenSSLErrorQueue.error(operation, otherwise: "OpenSSL made no key") }
        return KeyHandle(owning: key)
    }
}
