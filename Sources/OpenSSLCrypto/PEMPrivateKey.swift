internal import COpenSSL

/// Reads private keys in PEM from files of operators.
enum PEMPrivateKey {
    private static let operation = "reading a PEM private key"

    /// A checked RSA or EC key from the first private key of a PEM text: PKCS#8, PKCS#1 or SEC1, not encrypted. Other blocks before it are passed over.
    static func read(_ text: UnsafeRawBufferPointer) throws(CryptoError) -> KeyHandle {
        guard text.count > 0, text.count <= 4 * KeyNumbers.maximumByteCount, let length = Int32(exactly: text.count),
            let source = BIO_new_mem_buf(text.baseAddress, length)
        else {
            throw CryptoError(operation: operation, reason: "\(text.count) bytes is not the size of a key")
        }
        defer { BIO_free(source) }
        OpenSSLErrorQueue.clear()
        while true {
            let block = try Block(from: source)
            if let key = try block.key() { return key }
        }
    }

    /// What stands between two marks, wiped when it is no longer used.
    private struct Block: ~Copyable {
        private let label: UnsafeMutablePointer<CChar>?
        private let header: UnsafeMutablePointer<CChar>?
        private let content: UnsafeMutablePointer<UInt8>?
        private let count: Int

        init(from source: OpaquePointer) throws(CryptoError) {
            var (label, header) = (UnsafeMutablePointer<CChar>?.none, UnsafeMutablePointer<CChar>?.none)
            var (content, count) = (UnsafeMutablePointer<UInt8>?.none, 0)
            let flags = UInt32(PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE)
            guard PEM_read_bio_ex(source, &label, &header, &content, &count, flags) == 1 else {
                throw OpenSSLErrorQueue.error(operation, otherwise: "no private key found")
            }
            self.label = label
            self.header = header
            self.content = content
            self.count = count
        }

        deinit {
            CRYPTO_secure_clear_free(content, count, nil, 0)
            CRYPTO_secure_free(header, nil, 0)
            CRYPTO_secure_free(label, nil, 0)
        }

        /// The key, where this is a private key.
        func key() throws(CryptoError) -> KeyHandle? {
            let der = UnsafeRawBufferPointer(start: content, count: count)
            // RFC 1421's way to encrypt names itself in the header; PKCS#8's has a label of its own.
            let isEncrypted = header.map { $0.pointee != 0 } ?? false
            switch label.map({ String(cString: $0) }) {
            case "PRIVATE KEY": return try KeyNumbers(pkcs8: der).key(operation)
            case "ENCRYPTED PRIVATE KEY": throw Self.encrypted
            case "RSA PRIVATE KEY":
                guard !isEncrypted else { throw Self.encrypted }
                return try KeyNumbers.rsa(RSAKeyNumbers(der: der, operation).checked(operation)).key(operation)
            case "EC PRIVATE KEY":
                guard !isEncrypted else { throw Self.encrypted }
                return try KeyNumbers.ec(CurveKeyNumbers(der: der, operation)).key(operation)
            default: return nil
            }
        }

        private static var encrypted: CryptoError {
            CryptoError(
                operation: operation,
                reason: "the key is encrypted; write it without a passphrase: openssl pkey -in FILE -out OTHER-FILE")
        }
    }
}
