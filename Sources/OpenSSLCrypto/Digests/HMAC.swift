internal import COpenSSL

/// Keyed digests (RFC 2104) through OpenSSL.
package enum HMAC {
    /// HMAC-SHA-256 of `bytes`, 32 bytes.
    package static func sha256(key: UnsafeRawBufferPointer, _ bytes: [UInt8]) throws(CryptoError) -> [UInt8] {
        let operation = "computing a keyed digest"
        OpenSSLErrorQueue.clear()
        guard let count = Int32(exactly: key.count) else { throw CryptoError(operation: operation, reason: "the key is too long") }
        let digest = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { output, written in
            var size: UInt32 = 0
            let result = COpenSSL.HMAC(
                DigestAlgorithm.sha256.fetched.handle, key.baseAddress, count, bytes, bytes.count, output.baseAddress, &size)
            written = result == nil ? 0 : Int(size)
        }
        guard digest.count == DigestAlgorithm.sha256.byteCount else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "OpenSSL computed none")
        }
        return digest
    }
}
