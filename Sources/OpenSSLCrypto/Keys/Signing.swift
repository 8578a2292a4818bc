internal import COpenSSL
internal import SecureMemory

extension PrivateKey {
    /// Signs `message`. ECDSA gives the raw `r || s`, each of the curve's size.
    package func sign(_ message: [UInt8], algorithm: SignatureAlgorithm) throws(CryptoError) -> [UInt8] {
        let operation = "signing"
        switch (publicKey.kind, algorithm) {
        case (.rsa, .rsaPKCS1), (.rsa, .rsaPSS), (.ec, .ecdsa): break
        default: throw CryptoError(operation: operation, reason: "the key does not have this algorithm")
        }
        defer { wipeVectorRegisters() }
        OpenSSLErrorQueue.clear()
        guard let context = EVP_MD_CTX_new() else { throw OpenSSLErrorQueue.error(operation, otherwise: "no memory") }
        defer { EVP_MD_CTX_free(context) }
        try begin(algorithm, in: context)
        var length = 0
        guard EVP_DigestSign(context, nil, &length, message, message.count) == 1 else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "OpenSSL made no signature")
        }
        var signature = [UInt8](repeating: 0, count: length)
        guard EVP_DigestSign(context, &signature, &length, message, message.count) == 1 else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "OpenSSL made no signature")
        }
        signature.removeLast(signature.count - length)
        guard case .ec(let curve) = publicKey.kind else { return signature }
        guard let raw = RawECDSASignature.raw(signature, curve), !raw.isEmpty else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "OpenSSL made no signature")
        }
        return raw
    }

    /// Prepares a context for signing with this key.
    package func begin(_ algorithm: SignatureAlgorithm, in context: OpaquePointer) throws(CryptoError) {
        var keyContext: OpaquePointer?
        guard EVP_DigestSignInit(context, &keyContext, algorithm.digest.fetched.handle, nil, handle.pointer) == 1,
            algorithm.applyPadding(to: keyContext)
        else { throw OpenSSLErrorQueue.error("signing", otherwise: "the key does not have this algorithm") }
    }
}
