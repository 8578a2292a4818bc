internal import COpenSSL

/// The numbers of a private key, whose sizes are acceptable and which fit each other.
enum KeyNumbers: ~Copyable {
    case rsa(RSAKeyNumbers)
    case ec(CurveKeyNumbers)

    /// Longer than any RSA key of 16384 bits, in bytes.
    static let maximumByteCount = 64 * 1024

    /// Reads PKCS#8 PrivateKeyInfo (RFC 5208) in DER: nothing after the structure, nothing after the key inside of it. `known` as in `RSAKeyNumbers.checked`.
    init(pkcs8 der: UnsafeRawBufferPointer, known: RSAPublicNumbers? = nil) throws(CryptoError) {
        let operation = "reading a PKCS#8 private key"
        guard der.count > 0, der.count <= Self.maximumByteCount else {
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
        var algorithm: UnsafePointer<X509_ALGOR>?
        guard PKCS8_pkey_get0(nil, &content, &contentCount, &algorithm, info) == 1 else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "there is no key inside")
        }
        let key = UnsafeRawBufferPointer(start: content, count: Int(contentCount))
        var identifier: OpaquePointer?
        var parameterType: Int32 = 0
        var parameter: UnsafeRawPointer?
        X509_ALGOR_get0(&identifier, &parameterType, &parameter, algorithm)
        switch OBJ_obj2nid(identifier) {
        case NID_rsaEncryption:
            self = .rsa(try RSAKeyNumbers(der: key, operation).checked(operation, known: known))
        case NID_X9_62_id_ecPublicKey:
            let name = parameterType == V_ASN1_OBJECT ? OBJ_obj2nid(parameter.map(OpaquePointer.init)) : NID_undef
            guard let curve = EllipticCurve.allCases.first(where: { $0.identifier == name }) else {
                let found = name == NID_undef ? "with explicit parameters or an unknown curve" : Self.shortName(name)
                throw CryptoError(operation: operation, reason: "keys of type EC \(found) are not supported")
            }
            self = .ec(try CurveKeyNumbers(der: key, on: curve, operation))
        case let other:
            let name = Self.shortName(other)
            throw CryptoError(operation: operation, reason: "keys of type \(name) are not supported")
        }
    }

    private static func shortName(_ identifier: Int32) -> String {
        OBJ_nid2sn(identifier).map { String(cString: $0) } ?? "unknown"
    }

    /// The numbers of OpenSSL's key.
    init(_ key: KeyHandle, _ operation: String) throws(CryptoError) {
        switch key.kind {
        case .rsa: self = .rsa(try RSAKeyNumbers(key, operation).checked(operation))
        case .ec(let curve): self = .ec(try CurveKeyNumbers(key, on: curve, operation))
        case .other(let name):
            throw CryptoError(operation: operation, reason: "keys of type \(name) are not supported")
        }
    }

    /// OpenSSL's key of these numbers.
    borrowing func key(_ operation: String) throws(CryptoError) -> KeyHandle {
        switch self {
        case .rsa(let numbers): try numbers.key(operation)
        case .ec(let numbers): try numbers.key(operation)
        }
    }
}
