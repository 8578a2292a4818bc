internal import COpenSSL

/// Makes new keys. The caller owns the pointer.
enum KeyGeneration {
    /// An RSA key with the exponent 65537.
    static func rsa(bits: Int) throws(CryptoError) -> OpaquePointer {
        let operation = "generating an RSA key"
        guard bits == 2048 || bits == 3072 || bits == 4096 else {
            throw CryptoError(operation: operation, reason: "\(bits) bits: only 2048, 3072 and 4096 are made")
        }
        return try generate("RSA", operation) { EVP_PKEY_CTX_set_rsa_keygen_bits($0, Int32(bits)) == 1 }
    }

    static func ec(_ curve: EllipticCurve) throws(CryptoError) -> OpaquePointer {
        try generate("EC", "generating an EC key") { EVP_PKEY_CTX_set_group_name($0, curve.groupName) == 1 }
    }

    private static func generate(
        _ type: String, _ operation: String, configure: (OpaquePointer) -> Bool
    ) throws(CryptoError) -> OpaquePointer {
        OpenSSLErrorQueue.clear()
        guard let context = EVP_PKEY_CTX_new_from_name(nil, type, nil) else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "no memory")
        }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, configure(context), EVP_PKEY_generate(context, &key) == 1, let key
        else { throw OpenSSLErrorQueue.error(operation, otherwise: "OpenSSL made no key") }
        return key
    }
}
