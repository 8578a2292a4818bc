internal import COpenSSL

extension PublicKey {
    /// Whether `signature` over `message` is right. False for anything else: a wrong length, an algorithm that the key does not have,
    /// garbage.
    ///
    /// RSA signatures have the modulus' length; ECDSA signatures are the raw `r || s`, each of the curve's size.
    package func verifies(_ signature: [UInt8], of message: [UInt8], algorithm: SignatureAlgorithm) -> Bool {
        message.withUnsafeBytes { verifies(signature, of: $0, algorithm: algorithm) }
    }

    /// The same for a message in other memory.
    package func verifies(_ signature: [UInt8], of message: UnsafeRawBufferPointer, algorithm: SignatureAlgorithm) -> Bool {
        let encoded: [UInt8]?
        switch (kind, algorithm) {
        case (.rsa(let bits), .rsaPKCS1), (.rsa(let bits), .rsaPSS): encoded = signature.count == (bits + 7) / 8 ? signature : nil
        case (.ec(let curve), .ecdsa): encoded = RawECDSASignature.der(signature, curve)
        default: encoded = nil
        }
        guard let encoded, let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        var keyContext: OpaquePointer?
        let isRight =
            EVP_DigestVerifyInit(context, &keyContext, algorithm.digest.fetched.handle, nil, handle.pointer) == 1
            && algorithm.applyPadding(to: keyContext)
            && EVP_DigestVerify(context, encoded, encoded.count, message.bindMemory(to: UInt8.self).baseAddress, message.count) == 1
        if !isRight { OpenSSLErrorQueue.clear() }
        return isRight
    }
}

extension SignatureAlgorithm {
    /// Sets RSA padding on the context of a signature or of its check.
    func applyPadding(to context: OpaquePointer?) -> Bool {
        switch self {
        case .rsaPKCS1: EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1
        case .rsaPSS(let digest):
            EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest.fetched.handle) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, Int32(digest.byteCount)) == 1
        case .ecdsa: true
        }
    }
}
