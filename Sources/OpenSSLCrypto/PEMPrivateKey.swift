internal import COpenSSL

/// Reads private keys in PEM from files of operators.
enum PEMPrivateKey {
    /// A checked RSA or EC key from the first private key of a PEM text: PKCS#8, PKCS#1 or SEC1, not encrypted.
    static func read(_ text: UnsafeRawBufferPointer) throws(CryptoError) -> KeyHandle {
        let operation = "reading a PEM private key"
        guard text.count > 0, text.count <= 4 * KeyNumbers.maximumByteCount, let length = Int32(exactly: text.count),
            let source = BIO_new_mem_buf(text.baseAddress, length)
        else {
            throw CryptoError(operation: operation, reason: "\(text.count) bytes is not the size of a key")
        }
        defer { BIO_free(source) }
        OpenSSLErrorQueue.clear()
        // Without a callback OpenSSL would ask for the password of an encrypted key on the terminal.
        guard let key = PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in -1 }, nil) else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "no private key found")
        }
        OpenSSLErrorQueue.clear()
        let handle = KeyHandle(owning: key)
        _ = try KeyNumbers(handle, operation)
        return handle
    }
}
