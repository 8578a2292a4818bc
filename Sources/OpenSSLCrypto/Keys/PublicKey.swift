internal import COpenSSL

/// A public key that checks signatures or receives wrapped keys. Immutable; may be used from several threads.
package final class PublicKey: Sendable {
    /// What kind of key it is.
    package enum Kind: Sendable, Equatable {
        case rsa(bits: Int)
        case ec(EllipticCurve)
        /// Parsed, but of no use here: the name says what it is.
        case other(String)
    }

    package let kind: Kind
    package let handle: KeyHandle

    /// Takes a key that OpenSSL parsed; RSA keys outside of 2048 to 16384 bits or with an even or huge exponent are refused.
    init(_ handle: KeyHandle) throws(CryptoError) {
        try RSAPublicChecks.requireUsable(handle, "reading a public key")
        self.handle = handle
        kind = handle.kind
    }

    /// An RSA key of 2048 to 16384 bits from its numbers.
    package convenience init(rsa numbers: RSAPublicNumbers) throws(CryptoError) {
        var assembly = try KeyAssembly("reading an RSA public key")
        assembly.add(OSSL_PKEY_PARAM_RSA_N, copyOf: try BigNumber(numbers.n))
        assembly.add(OSSL_PKEY_PARAM_RSA_E, copyOf: try BigNumber(numbers.e))
        try self.init(try assembly.key(type: "RSA", hasPrivatePart: false))
    }

    /// An EC key from the coordinates of its point, big-endian and exactly of the curve's size (RFC 7518, section 6.2.1). A point off the
    /// curve is refused.
    package convenience init(ec curve: EllipticCurve, x: [UInt8], y: [UInt8]) throws(CryptoError) {
        let operation = "reading an EC public key"
        let size = curve.coordinateByteCount
        guard x.count == size, y.count == size else {
            throw CryptoError(operation: operation, reason: "a number of a \(curve.rawValue) key is not \(size) bytes")
        }
        var assembly = try KeyAssembly(operation)
        assembly.add(curve: curve, point: [0x04] + x + y)
        try self.init(try assembly.key(type: "EC", hasPrivatePart: false))
    }

    /// A key from its SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) in DER, without anything after it.
    package convenience init(subjectPublicKeyInfo der: [UInt8]) throws(CryptoError) {
        guard let (key, isWhole) = decodeDER(der, { d2i_PUBKEY(nil, &$0, $1) }) else {
            throw OpenSSLErrorQueue.error("reading a public key", otherwise: "not a SubjectPublicKeyInfo")
        }
        let handle = KeyHandle(owning: key)
        guard isWhole else { throw CryptoError(operation: "reading a public key", reason: "bytes follow the key") }
        try self.init(handle)
    }

    /// The first public key of a PEM text, label `PUBLIC KEY` (RFC 7468, section 13).
    package convenience init(pem text: [UInt8]) throws(CryptoError) {
        let operation = "reading a PEM public key"
        guard !text.isEmpty, text.count <= 256 * 1024 else {
            throw CryptoError(operation: operation, reason: "\(text.count) bytes is not the size of a key")
        }
        OpenSSLErrorQueue.clear()
        let key = text.withUnsafeBytes { bytes -> OpaquePointer? in
            guard let source = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { BIO_free(source) }
            return PEM_read_bio_PUBKEY(source, nil, nil, nil)
        }
        guard let key else { throw OpenSSLErrorQueue.error(operation, otherwise: "no PUBLIC KEY in the text") }
        try self.init(KeyHandle(owning: key))
    }

    /// `plaintext` encrypted to this RSA key with OAEP, MGF1 of the same hash and an empty label (RFC 8017, section 7.1); nil where the key
    /// is not RSA or
    /// too small for it.
    package func encryptOAEP(_ plaintext: [UInt8], digest: DigestAlgorithm) -> [UInt8]? {
        plaintext.withUnsafeBytes { encryptOAEP($0, digest: digest) }
    }

    /// The same for bytes that are in wiped memory.
    package func encryptOAEP(_ plaintext: UnsafeRawBufferPointer, digest: DigestAlgorithm) -> [UInt8]? {
        guard case .rsa = kind else { return nil }
        return RSAOAEP.encrypt(plaintext, to: handle.pointer, digest: digest)
    }

    /// SubjectPublicKeyInfo in DER (RFC 5280, section 4.1.2.7).
    package var subjectPublicKeyInfo: [UInt8] { handle.subjectPublicKeyInfo ?? [] }

    /// The numbers of an RSA key; nil for other kinds.
    package var rsaNumbers: RSAPublicNumbers? {
        guard case .rsa = kind else { return nil }
        return handle.rsaNumbers
    }

    /// The coordinates of an EC key, big-endian, each of the curve's size; nil for other kinds.
    package var ecPoint: (x: [UInt8], y: [UInt8])? { handle.ecPoint }
}

extension PublicKey: Equatable {
    /// Whether both are the same key.
    package static func == (left: PublicKey, right: PublicKey) -> Bool {
        let isSame = left === right || EVP_PKEY_eq(left.handle.pointer, right.handle.pointer) == 1
        if !isSame { OpenSSLErrorQueue.clear() }
        return isSame
    }
}
