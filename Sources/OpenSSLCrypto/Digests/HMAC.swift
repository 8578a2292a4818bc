internal import COpenSSL

/// Keyed digests (RFC 2104) through OpenSSL.
package enum HMAC {
    /// HMAC-SHA-256 of `bytes`, 32 bytes.
    package static func sha256(key: UnsafeRawBufferPointer, _ bytes: [UInt8]) throws(CryptoError) -> [UInt8] {
        OpenSSLErrorQueue.clear()
        let digest = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { output, count in
            let result = EVP_Q_mac(
                nil, "HMAC", nil, "SHA256", nil, key.baseAddress, key.count, bytes, bytes.count, output.baseAddress, output.count, &count)
            if result == nil { count = 0 }
        }
        guard digest.count == DigestAlgorithm.sha256.byteCount else {
            throw OpenSSLErrorQueue.error("computing a keyed digest", otherwise: "OpenSSL computed none")
        }
        return digest
    }
}
