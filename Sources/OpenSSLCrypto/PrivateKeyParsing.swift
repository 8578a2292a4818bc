internal import COpenSSL

/// Reads private keys from untrusted bytes.
enum PrivateKeyParsing {
    /// Longer than any RSA key of 16384 bits.
    static let maximumByteCount = 64 * 1024

    /// A checked RSA or EC key from PKCS#8 PrivateKeyInfo (RFC 5208) in DER: nothing after the structure, nothing after the key inside of it.
    static func pkcs8(_ der: UnsafeRawBufferPointer) throws(CryptoError) -> KeyHandle {
        let operation = "reading a PKCS#8 private key"
        guard der.count > 0, der.count <= maximumByteCount else {
            throw CryptoError(operation: operation, reason: "\(der.count) bytes is not the size of a key")
        }
        OpenSSLErrorQueue.clear()
        let start = der.bindMemory(to: UInt8.self).baseAddress
        var cursor = start
        guard let info = d2i_PKCS8_PRIV_KEY_INFO(nil, &cursor, der.count) else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "not a PrivateKeyInfo")
        }
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        guard let start, let cursor, cursor - start == der.count else {
            throw CryptoError(operation: operation, reason: "bytes follow the key")
        }
        var content: UnsafePointer<UInt8>?
        var contentCount: Int32 = 0
        var identifier: OpaquePointer?
        guard PKCS8_pkey_get0(&identifier, &content, &contentCount, nil, info) == 1 else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "there is no key inside")
        }
        let inside = UnsafeRawBufferPointer(start: content, count: Int(contentCount))
        if OBJ_obj2nid(identifier) == NID_rsaEncryption {
            let handle = try RSAPrivateKeyParsing.key(inside)
            try KeyChecks.requireConsistentPrivateKey(handle, operation)
            return handle
        }
        guard isOneSequence(inside) else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "the key inside is not one DER sequence")
        }
        guard let key = EVP_PKCS82PKEY(info) else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "unknown kind of key")
        }
        OpenSSLErrorQueue.clear()
        let handle = KeyHandle(owning: key)
        try KeyChecks.requireConsistentPrivateKey(handle, operation)
        return handle
    }

    /// A checked RSA or EC key from the first private key of a PEM text: PKCS#8, PKCS#1 or SEC1, not encrypted.
    static func pem(_ text: UnsafeRawBufferPointer) throws(CryptoError) -> KeyHandle {
        let operation = "reading a PEM private key"
        guard text.count > 0, text.count <= 4 * maximumByteCount, let length = Int32(exactly: text.count),
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
        try KeyChecks.requireConsistentPrivateKey(handle, operation)
        return handle
    }

    /// Whether these bytes are one definite-length DER sequence and nothing else.
    private static func isOneSequence(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let start = bytes.bindMemory(to: UInt8.self).baseAddress
        var cursor = start
        var length = 0
        var tag: Int32 = 0
        var tagClass: Int32 = 0
        let flags = ASN1_get_object(&cursor, &length, &tag, &tagClass, bytes.count)
        guard flags == V_ASN1_CONSTRUCTED, tag == V_ASN1_SEQUENCE, tagClass == V_ASN1_UNIVERSAL, let start, let cursor
        else { return false }
        return cursor - start + length == bytes.count
    }
}
