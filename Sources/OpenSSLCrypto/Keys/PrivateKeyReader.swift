internal import COpenSSL
internal import SecureMemory

/// Private keys from outside, read by OpenSSL's decoders and checked.
enum PrivateKeyReader {
    /// Longer than any RSA key of 16384 bits, in bytes.
    static let maximumByteCount = 64 * 1024

    /// PKCS#8 PrivateKeyInfo (RFC 5208) of an RSA or EC key in DER, with nothing after it. `known` as in `requireSound`.
    static func key(pkcs8 der: UnsafeRawBufferPointer, known: RSAPublicNumbers? = nil) throws(CryptoError) -> KeyHandle {
        let operation = "reading a PKCS#8 private key"
        do {
            let type = try wholeType(pkcs8: der, operation)
            return try key(der, structure: "PrivateKeyInfo", type: type, known: known, operation)
        } catch { throw AttachedPublicKey.explained(error, der, options: "-inform DER ") }
    }

    /// Throws where there is more or less than one key: OpenSSL's decoders also take a key without the structure around it, and pass over
    /// bytes after the key inside of it. The answer is OpenSSL's name of its type, `nil` of a type that is none of ours: where it is not
    /// named, OpenSSL sets up the decoders of every type, which costs more than reading the key.
    private static func wholeType(pkcs8 der: UnsafeRawBufferPointer, _ operation: String) throws(CryptoError) -> String? {
        OpenSSLErrorQueue.clear()
        var cursor = der.bindMemory(to: UInt8.self).baseAddress
        guard der.count <= maximumByteCount, let info = d2i_PKCS8_PRIV_KEY_INFO(nil, &cursor, der.count) else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "not a PrivateKeyInfo")
        }
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        var content: UnsafePointer<UInt8>?
        var (count, length, tag, tagClass): (Int32, Int, Int32, Int32) = (0, 0, 0, 0)
        var algorithm: OpaquePointer?
        PKCS8_pkey_get0(&algorithm, &content, &count, nil, info)
        let end = content.map { $0 + Int(count) }
        // Keys of other types have no sequence inside; the decoder's type says so.
        guard ASN1_get_object(&content, &length, &tag, &tagClass, Int(count)) & 0x80 == 0, content.map({ $0 + length }) == end else {
            throw CryptoError(operation: operation, reason: "bytes follow the key inside of the structure, or it holds none")
        }
        switch OBJ_obj2nid(algorithm) {
        case NID_rsaEncryption: return "RSA"
        case NID_X9_62_id_ecPublicKey: return "EC"
        default: return nil
        }
    }

    private static func key(
        _ der: UnsafeRawBufferPointer, structure: String, type: String?, known: RSAPublicNumbers? = nil, _ operation: String
    ) throws(CryptoError) -> KeyHandle {
        guard der.count > 0, der.count <= maximumByteCount else {
            throw CryptoError(operation: operation, reason: "\(der.count) bytes is not the size of a key")
        }
        defer { wipeVectorRegisters() }
        OpenSSLErrorQueue.clear()
        var cursor = der.bindMemory(to: UInt8.self).baseAddress
        var rest = der.count
        var key: OpaquePointer?
        let isRead = withUnsafeMutablePointer(to: &key) { key in
            let selection = KeyAssembly.keyPair
            guard let decoder = OSSL_DECODER_CTX_new_for_pkey(key, "DER", structure, type, selection, nil, nil) else { return false }
            defer { OSSL_DECODER_CTX_free(decoder) }
            return OSSL_DECODER_from_data(decoder, &cursor, &rest) == 1
        }
        guard let key else { throw OpenSSLErrorQueue.error(operation, otherwise: "not a private key") }
        let handle = KeyHandle(owning: key)
        guard isRead else { throw OpenSSLErrorQueue.error(operation, otherwise: "not a private key") }
        guard rest == 0 else { throw CryptoError(operation: operation, reason: "bytes follow the key") }
        try requireSound(handle, known: known, operation)
        return handle
    }

    // MARK: PEM

    /// The first private key of a PEM text: PKCS#8, PKCS#1 or SEC1, not encrypted. Other blocks before it are passed over.
    static func key(pem text: UnsafeRawBufferPointer) throws(CryptoError) -> KeyHandle {
        let operation = "reading a PEM private key"
        guard text.count > 0, text.count <= 4 * maximumByteCount, let source = BIO_new_mem_buf(text.baseAddress, Int32(text.count)) else {
            throw CryptoError(operation: operation, reason: "\(text.count) bytes is not the size of a key")
        }
        defer { BIO_free(source) }
        OpenSSLErrorQueue.clear()
        while true {
            var (label, header) = (UnsafeMutablePointer<CChar>?.none, UnsafeMutablePointer<CChar>?.none)
            var (content, count) = (UnsafeMutablePointer<UInt8>?.none, 0)
            let flags = UInt32(PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE)
            guard PEM_read_bio_ex(source, &label, &header, &content, &count, flags) == 1 else {
                throw OpenSSLErrorQueue.error(operation, otherwise: "no private key found")
            }
            defer {
                CRYPTO_secure_clear_free(content, count, nil, 0)
                CRYPTO_secure_free(header, nil, 0)
                CRYPTO_secure_free(label, nil, 0)
            }
            let name = label.map { String(cString: $0) } ?? ""
            guard name.hasSuffix("PRIVATE KEY") else { continue }
            // RFC 1421's way to encrypt names itself in the header; PKCS#8's has a label of its own.
            guard name != "ENCRYPTED PRIVATE KEY", header.map({ $0.pointee == 0 }) ?? true else {
                let advice = "write it without a passphrase: openssl pkey -in FILE -out OTHER-FILE"
                throw CryptoError(operation: operation, reason: "the key is encrypted; \(advice)")
            }
            let der = UnsafeRawBufferPointer(start: content, count: count)
            switch name {
            case "PRIVATE KEY":
                do { return try key(der, structure: "PrivateKeyInfo", type: nil, operation) } catch {
                    throw AttachedPublicKey.explained(error, der, options: "")
                }
            case "RSA PRIVATE KEY": return try key(der, structure: "type-specific", type: "RSA", operation)
            case "EC PRIVATE KEY": return try key(der, structure: "type-specific", type: "EC", operation)
            default: continue
            }
        }
    }

    // MARK: Checks

    /// Throws unless this is an RSA key of an acceptable size or an EC key on a supported curve, whose numbers fit each other.
    ///
    /// `known` is the public half of an RSA key as somebody trustworthy states it. Where it is the key's, n = p·q leaves p and q no choice,
    /// and their primality is
    /// not tested, which takes OpenSSL longer than all the rest of a release.
    static func requireSound(_ key: KeyHandle, known: RSAPublicNumbers? = nil, _ operation: String) throws(CryptoError) {
        switch key.kind {
        case .rsa:
            try RSAPublicChecks.requireUsable(key, operation)
            var isSound = try fitEachOther(key)
            if isSound, known == nil || key.rsaNumbers != known { isSound = try isPair(key, operation) }
            guard isSound else { throw CryptoError(operation: operation, reason: "the numbers of the RSA key do not fit each other") }
        case .ec:
            guard try isPair(key, operation) else {
                throw CryptoError(operation: operation, reason: "the public point does not belong to the private number")
            }
        case .other(let name):
            let supported = name.hasPrefix("EC ") ? "; P-256, P-384 and P-521 are" : ""
            throw CryptoError(operation: operation, reason: "keys of type \(name) are not supported\(supported)")
        }
    }

    /// OpenSSL's own judgement: for RSA every relation and the primality of p and q, for EC the range of d and that the point is d·G.
    private static func isPair(_ key: KeyHandle, _ operation: String) throws(CryptoError) -> Bool {
        guard let context = EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil) else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "no memory")
        }
        defer {
            EVP_PKEY_CTX_free(context)
            OpenSSLErrorQueue.clear()
        }
        if case .rsa = key.kind { return EVP_PKEY_pairwise_check(context) == 1 }
        return EVP_PKEY_private_check(context) == 1 && EVP_PKEY_pairwise_check(context) == 1
    }

    /// Whether n = p·q, dp and dq are d's remainders and the inverses of e, and qi is the inverse of q. An operation with the key would not
    /// tell: OpenSSL silently
    /// takes d alone where the other numbers are damaged.
    private static func fitEachOther(_ key: KeyHandle) throws(CryptoError) -> Bool {
        guard let n = key.number(OSSL_PKEY_PARAM_RSA_N), let e = key.number(OSSL_PKEY_PARAM_RSA_E),
            let d = key.number(RSAPrivateParameter.d), let p = key.number(RSAPrivateParameter.p),
            let q = key.number(RSAPrivateParameter.q), let dp = key.number(RSAPrivateParameter.dp),
            let dq = key.number(RSAPrivateParameter.dq), let qi = key.number(RSAPrivateParameter.qi)
        else { return false }
        // A third prime cannot be written in a JWK.
        guard key.number(RSAPrivateParameter.thirdPrime) == nil, let context = BN_CTX_secure_new() else { return false }
        defer {
            BN_CTX_free(context)
            OpenSSLErrorQueue.clear()
        }
        let pOrder = try BigNumber.predecessor(of: p)
        let qOrder = try BigNumber.predecessor(of: q)
        let work = try BigNumber()
        return p.isOdd && q.isOdd && BN_mul(work.handle, p.handle, q.handle, context) == 1 && BN_cmp(work.handle, n.handle) == 0
            && BN_cmp(d.handle, n.handle) < 0 && BN_cmp(qi.handle, p.handle) < 0
            && BN_nnmod(work.handle, d.handle, pOrder.handle, context) == 1 && BN_cmp(work.handle, dp.handle) == 0
            && BN_nnmod(work.handle, d.handle, qOrder.handle, context) == 1 && BN_cmp(work.handle, dq.handle) == 0
            && BN_mod_mul(work.handle, dp.handle, e.handle, pOrder.handle, context) == 1 && work.isOne
            && BN_mod_mul(work.handle, dq.handle, e.handle, qOrder.handle, context) == 1 && work.isOne
            && BN_mod_mul(work.handle, qi.handle, q.handle, p.handle, context) == 1 && work.isOne
    }
}
