internal import COpenSSL
package import SecureMemory

/// AES with a key of 256 bits for one short text, through OpenSSL. Names as RFC 7518, section 5.1, has them, and A256CTR in their manner.
package enum ContentCipher: String, Sendable, CaseIterable {
    /// Galois/counter mode (NIST SP 800-38D) without associated data; the tag of 16 bytes follows the ciphertext.
    case a256gcm = "A256GCM"
    /// Counter mode (NIST SP 800-38A) with a counter of 128 bits. It does not notice changes.
    case a256ctr = "A256CTR"

    package static let keyByteCount = 32
    /// Longest text that is sealed or opened.
    package static let maximumByteCount = 1 << 20

    package var ivByteCount: Int { self == .a256gcm ? 12 : 16 }

    /// What is added to a text.
    package var overhead: Int { self == .a256gcm ? 16 : 0 }

    /// The ciphertext; nil for a key or an `iv` of the wrong size, or a text that is too long.
    package func seal(_ plaintext: borrowing SecretBytes, key: borrowing SecretBytes, iv: [UInt8]) -> [UInt8]? {
        guard plaintext.count <= Self.maximumByteCount else { return nil }
        let sealed = plaintext.withUnsafeBytes { text in
            [UInt8](unsafeUninitializedCapacity: text.count + overhead) { output, count in
                count = run(text, into: UnsafeMutableRawBufferPointer(output), key: key, iv: iv, encrypts: true) ?? 0
            }
        }
        return sealed.count == plaintext.count + overhead ? sealed : nil
    }

    /// The plaintext; nil where the key or the `iv` has the wrong size or, for A256GCM, the tag does not fit.
    package func open(_ ciphertext: [UInt8], key: borrowing SecretBytes, iv: [UInt8]) -> SecretBytes? {
        guard ciphertext.count > overhead, ciphertext.count <= Self.maximumByteCount + overhead else { return nil }
        let opened = ciphertext.span.withUnsafeBytes { text -> SecretBytes in
            SecretBytes(capacity: text.count) { run(text, into: $0, key: key, iv: iv, encrypts: false) ?? 0 }
        }
        guard opened.count == ciphertext.count - overhead else { return nil }
        return opened
    }

    private func run(
        _ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, key: borrowing SecretBytes, iv: [UInt8], encrypts: Bool
    ) -> Int? {
        guard key.count == Self.keyByteCount, iv.count == ivByteCount, let context = EVP_CIPHER_CTX_new() else { return nil }
        defer {
            EVP_CIPHER_CTX_free(context)
            OpenSSLErrorQueue.clear()
            wipeVectorRegisters()
        }
        let cipher = (self == .a256gcm ? FetchedCipher.aes256GCM : .aes256CTR).handle
        let isReady = key.withUnsafeBytes { key in
            EVP_CipherInit_ex2(context, cipher, key.bindMemory(to: UInt8.self).baseAddress, iv, encrypts ? 1 : 0, nil) == 1
        }
        let bodyCount = encrypts ? text.count : text.count - overhead
        let target = output.bindMemory(to: UInt8.self).baseAddress
        let source = text.bindMemory(to: UInt8.self).baseAddress
        var (written, rest): (Int32, Int32) = (0, 0)
        guard isReady, EVP_CipherUpdate(context, target, &written, source, Int32(bodyCount)) == 1, Int(written) == bodyCount else {
            return nil
        }
        let tag = Int32(overhead)
        if !encrypts, overhead > 0 {
            let given = UnsafeMutableRawPointer(mutating: text.baseAddress?.advanced(by: bodyCount))
            guard EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag, given) == 1 else { return nil }
        }
        guard EVP_CipherFinal_ex(context, target?.advanced(by: bodyCount), &rest) == 1, rest == 0 else { return nil }
        guard encrypts, overhead > 0 else { return bodyCount }
        guard EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag, output.baseAddress?.advanced(by: bodyCount)) == 1 else { return nil }
        return bodyCount + overhead
    }
}
