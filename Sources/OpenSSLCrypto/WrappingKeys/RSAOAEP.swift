internal import COpenSSL
internal import SecureMemory

/// RSAES-OAEP (RFC 8017, section 7.1) with an empty label and MGF1 of the same hash, through OpenSSL.
enum RSAOAEP {
    /// The plaintext; nothing (a count of 0) where it does not decrypt.
    static func decrypt(_ block: UnsafeRawBufferPointer, with key: OpaquePointer, digest: DigestAlgorithm) -> SecretBytes {
        let plaintext = SecretBytes(capacity: block.count) { output in
            guard let context = EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else { return 0 }
            defer { EVP_PKEY_CTX_free(context) }
            var written = output.count
            let isRight =
                EVP_PKEY_decrypt_init(context) == 1 && configure(context, digest)
                && EVP_PKEY_decrypt(
                    context, output.bindMemory(to: UInt8.self).baseAddress, &written, block.bindMemory(to: UInt8.self).baseAddress,
                    block.count) == 1
            return isRight ? written : 0
        }
        OpenSSLErrorQueue.clear()
        return plaintext
    }

    /// One block of the key's modulus size; nil where the plaintext is too long for it.
    static func encrypt(_ plaintext: UnsafeRawBufferPointer, to key: OpaquePointer, digest: DigestAlgorithm) -> [UInt8]? {
        guard let context = EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else {
            OpenSSLErrorQueue.clear()
            return nil
        }
        defer { EVP_PKEY_CTX_free(context) }
        let size = max(0, Int(EVP_PKEY_get_size(key)))
        let block = [UInt8](unsafeUninitializedCapacity: size) { output, count in
            var written = size
            let isEncrypted =
                EVP_PKEY_encrypt_init(context) == 1 && configure(context, digest)
                && EVP_PKEY_encrypt(
                    context, output.baseAddress, &written, plaintext.bindMemory(to: UInt8.self).baseAddress, plaintext.count) == 1
            count = isEncrypted ? written : 0
        }
        OpenSSLErrorQueue.clear()
        return block.isEmpty ? nil : block
    }

    private static func configure(_ context: OpaquePointer, _ digest: DigestAlgorithm) -> Bool {
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1
            && EVP_PKEY_CTX_set_rsa_oaep_md(context, digest.fetched.handle) == 1
            && EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest.fetched.handle) == 1
    }
}
