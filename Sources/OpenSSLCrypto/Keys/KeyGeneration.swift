internal import COpenSSL

/// New long-lived keys, made by OpenSSL's `EVP_PKEY_generate`.
enum KeyGeneration {
    /// An RSA key of 2048, 3072 or 4096 bits with the exponent 65537.
    static func rsa(bits: Int) throws(CryptoError) -> KeyHandle {
        let operation = "generating an RSA key"
        guard rsaSizes.contains(bits) else {
            throw CryptoError(operation: operation, reason: "\(bits) bits: only 2048, 3072 and 4096 are made")
        }
        return try key("RSA", operation) { EVP_PKEY_CTX_set_rsa_keygen_bits($0, Int32(bits)) }
    }

    static func ec(_ curve: EllipticCurve) throws(CryptoError) -> KeyHandle {
        try key("EC", "generating an EC key") { EVP_PKEY_CTX_set_group_name($0, curve.groupName) }
    }

    static let rsaSizes = [2048, 3072, 4096]

    private static func key(_ type: String, _ operation: String, _ configure: (OpaquePointer) -> Int32) throws(CryptoError) -> KeyHandle {
        OpenSSLErrorQueue.clear()
        guard let context = EVP_PKEY_CTX_new_from_name(nil, type, nil) else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "no memory")
        }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, configure(context) == 1, EVP_PKEY_generate(context, &key) == 1, let key else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "OpenSSL made no key")
        }
        return KeyHandle(owning: key)
    }
}
