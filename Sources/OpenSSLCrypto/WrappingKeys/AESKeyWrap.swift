internal import COpenSSL
internal import SecureMemory

/// AES key wrap (RFC 3394) and AES key wrap with padding (RFC 5649), through OpenSSL.
enum AESKeyWrap {
    /// Longest text that is wrapped or unwrapped.
    static let maximumByteCount = 1 << 20

    /// The plaintext, or nil where the key is wrong, the text damaged or its length impossible.
    static func unwrap(kek: UnsafeRawBufferPointer, ciphertext: UnsafeRawBufferPointer, isPadded: Bool = true) -> SecretBytes? {
        guard let cipher = cipher(kek, isPadded), ciphertext.count >= 16, ciphertext.count.isMultiple(of: 8),
            ciphertext.count <= maximumByteCount,
            let context = EVP_CIPHER_CTX_new()
        else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW)
        // OpenSSL wants room for the padded text and one block more.
        let plaintext = SecretBytes(capacity: ciphertext.count + 16) { output in
            var written: Int32 = 0
            let isRight =
                EVP_DecryptInit_ex2(context, cipher, kek.bindMemory(to: UInt8.self).baseAddress, nil, nil) == 1
                && EVP_DecryptUpdate(
                    context, output.bindMemory(to: UInt8.self).baseAddress, &written, ciphertext.bindMemory(to: UInt8.self).baseAddress,
                    Int32(ciphertext.count)) == 1
            return isRight ? max(0, Int(written)) : 0
        }
        // RFC 5649 has no empty plaintext.
        guard plaintext.count > 0 else {
            OpenSSLErrorQueue.clear()
            return nil
        }
        return plaintext
    }

    /// The wrapped text, or nil for a key that is not 16, 24 or 32 bytes or a text that is empty or too long.
    static func wrap(kek: UnsafeRawBufferPointer, plaintext: UnsafeRawBufferPointer, isPadded: Bool = true) -> [UInt8]? {
        guard let cipher = cipher(kek, isPadded), plaintext.count > 0, plaintext.count <= maximumByteCount - 16,
            let context = EVP_CIPHER_CTX_new()
        else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW)
        let ciphertext = [UInt8](unsafeUninitializedCapacity: plaintext.count + 32) { output, count in
            var written: Int32 = 0
            let isWrapped =
                EVP_EncryptInit_ex2(context, cipher, kek.bindMemory(to: UInt8.self).baseAddress, nil, nil) == 1
                && EVP_EncryptUpdate(
                    context, output.baseAddress, &written, plaintext.bindMemory(to: UInt8.self).baseAddress, Int32(plaintext.count)) == 1
            count = isWrapped ? max(0, Int(written)) : 0
        }
        guard !ciphertext.isEmpty else {
            OpenSSLErrorQueue.clear()
            return nil
        }
        return ciphertext
    }

    private static func cipher(_ kek: UnsafeRawBufferPointer, _ isPadded: Bool) -> OpaquePointer? {
        switch kek.count {
        case 16: (isPadded ? FetchedCipher.aes128WrapPad : .aes128Wrap).handle
        case 24: (isPadded ? FetchedCipher.aes192WrapPad : .aes192Wrap).handle
        case 32: (isPadded ? FetchedCipher.aes256WrapPad : .aes256Wrap).handle
        default: nil
        }
    }
}
