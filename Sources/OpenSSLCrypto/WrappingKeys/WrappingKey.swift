internal import COpenSSL
package import SecureMemory

/// The RSA key to which a key store wraps what it releases. It has one owner and never leaves the process; its numbers are overwritten when
/// the owner lets go.
package struct WrappingKey: ~Copyable, @unchecked Sendable {
    // Unchecked because of the pointer: a value that cannot be copied has one owner, and OpenSSL only reads a complete key.
    private let key: OpaquePointer
    /// The public half, for the runtime data.
    package let publicNumbers: RSAPublicNumbers
    /// Size of the modulus in bits.
    package let bits: Int

    /// A new key of 2048, 3072 or 4096 bits, whole and tested. Takes from a tenth of a second to some seconds, half of it on a second
    /// thread.
    package static func generate(bits: Int) throws(CryptoError) -> WrappingKey {
        try WrappingKey(try WrappingKeyGeneration.key(bits: bits), bits: bits)
    }

    private init(_ handle: KeyHandle, bits: Int) throws(CryptoError) {
        guard let numbers = handle.rsaNumbers, EVP_PKEY_up_ref(handle.pointer) == 1 else {
            throw OpenSSLErrorQueue.error("generating an RSA key", otherwise: "OpenSSL made no key")
        }
        key = handle.pointer
        publicNumbers = numbers
        self.bits = bits
    }

    deinit { EVP_PKEY_free(key) }

    /// Opens `RSA-OAEP(kek) || AES-KWP(kek, key)` (KeyStores.md, "Key wrapping").
    ///
    /// Every ciphertext that does not open gives the same error. A block that OAEP refuses, or a `kek` that is not 32 bytes, is replaced by
    /// a random `kek`, so
    /// that the second step runs all the same and the time tells little about which step failed.
    package borrowing func unwrap(_ ciphertext: [UInt8], using algorithm: KeyWrapAlgorithm) throws(CryptoError) -> SecretBytes {
        defer { wipeVectorRegisters() }
        let blockSize = bits / 8
        guard ciphertext.count >= blockSize + 16, (ciphertext.count - blockSize).isMultiple(of: 8),
            ciphertext.count - blockSize <= AESKeyWrap.maximumByteCount
        else { throw Self.refused }
        guard let secret = Self.open(ciphertext, blockSize: blockSize, key, algorithm.digest) else { throw Self.refused }
        return secret
    }

    private static func open(_ ciphertext: [UInt8], blockSize: Int, _ key: OpaquePointer, _ digest: DigestAlgorithm) -> SecretBytes? {
        ciphertext.span.withUnsafeBytes { bytes -> SecretBytes? in
            let block = UnsafeRawBufferPointer(rebasing: bytes[..<blockSize])
            let wrapped = UnsafeRawBufferPointer(rebasing: bytes[blockSize...])
            let opened = RSAOAEP.decrypt(block, with: key, digest: digest)
            let isRight = opened.count == 32
            let kek = SecretBytes(capacity: 32) { output in
                if isRight {
                    opened.withUnsafeBytes { output.copyMemory(from: $0) }
                    return 32
                }
                return RAND_priv_bytes(output.bindMemory(to: UInt8.self).baseAddress, 32) == 1 ? 32 : 0
            }
            let secret = kek.withUnsafeBytes { AESKeyWrap.unwrap(kek: $0, ciphertext: wrapped) }
            guard isRight else { return nil }
            return secret
        }
    }

    private static let refused = CryptoError(
        operation: "unwrapping the released key", reason: "the ciphertext was not made for this wrapping key, or is damaged")
}
