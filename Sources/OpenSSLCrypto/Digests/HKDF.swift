internal import COpenSSL
package import SecureMemory

/// HKDF with SHA-256 (RFC 5869), through OpenSSL.
package enum HKDF {
    /// `count` bytes (1 to 8160) from the secret, the salt and the context `info`.
    package static func sha256(secret: UnsafeRawBufferPointer, salt: [UInt8], info: [UInt8], count: Int) throws(CryptoError) -> SecretBytes
    {
        let operation = "deriving a key"
        guard (1...255 * 32).contains(count), let secretCount = Int32(exactly: secret.count), let saltCount = Int32(exactly: salt.count),
            let infoCount = Int32(exactly: info.count)
        else { throw CryptoError(operation: operation, reason: "HKDF-SHA-256 gives 1 to 8160 bytes") }
        OpenSSLErrorQueue.clear()
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "HKDF", nil) else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "no memory")
        }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_derive_init(context) == 1, EVP_PKEY_CTX_set_hkdf_md(context, DigestAlgorithm.sha256.fetched.handle) == 1,
            EVP_PKEY_CTX_set1_hkdf_salt(context, salt, saltCount) == 1,
            EVP_PKEY_CTX_set1_hkdf_key(context, secret.bindMemory(to: UInt8.self).baseAddress, secretCount) == 1,
            EVP_PKEY_CTX_add1_hkdf_info(context, info, infoCount) == 1
        else { throw OpenSSLErrorQueue.error(operation, otherwise: "OpenSSL refused the parameters") }
        let derived = SecretBytes(capacity: count) { output in
            var written = count
            return EVP_PKEY_derive(context, output.bindMemory(to: UInt8.self).baseAddress, &written) == 1 ? written : 0
        }
        guard derived.count == count else { throw OpenSSLErrorQueue.error(operation, otherwise: "OpenSSL derived nothing") }
        return derived
    }
}
