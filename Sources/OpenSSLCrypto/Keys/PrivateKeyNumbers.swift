internal import COpenSSL
package import SecureMemory

/// The numbers of a released private key, for its JWK. Nothing private leaves OpenSSL's key but into the memory of a `SecretBytes`.
package struct PrivateKeyNumbers: ~Copyable, Sendable {
    /// What kind of key it is.
    package enum Kind: Sendable, Equatable {
        case rsa
        case ec(EllipticCurve)
    }

    package let kind: Kind
    /// The key itself, for use by OpenSSL.
    package let key: KeyHandle

    /// Public numbers of an RSA key; nil for an EC key.
    package var rsaPublic: RSAPublicNumbers? { kind == .rsa ? key.rsaNumbers : nil }

    /// Coordinates of an EC key, big-endian, each of the curve's size; nil for an RSA key.
    package var ecPublic: (x: [UInt8], y: [UInt8])? { key.ecPoint }

    /// Parses PKCS#8 PrivateKeyInfo (RFC 5208) in DER and checks that the numbers fit each other: RSA with two primes, p·q = n, an odd
    /// exponent of at
    /// least 3 and the four derived numbers; EC with the point on P-256, P-384 or P-521 and belonging to the private number.
    ///
    /// `known` is the public half of an RSA key as a signature vouches for it. Where it is the key's, the primality of p and q, which it
    /// implies, is not tested
    /// again; where it is not, nothing changes: comparing is the caller's.
    package init(pkcs8DER: borrowing SecretBytes, known: RSAPublicNumbers? = nil) throws(CryptoError) {
        try self.init(try pkcs8DER.withUnsafeBytes { bytes throws(CryptoError) in try PrivateKeyReader.key(pkcs8: bytes, known: known) })
    }

    /// The numbers of a key at hand, for the JWK of an import.
    package init(_ key: PrivateKey) throws(CryptoError) { try self.init(key.handle) }

    private init(_ key: KeyHandle) throws(CryptoError) {
        switch key.kind {
        case .rsa: kind = .rsa
        case .ec(let curve): kind = .ec(curve)
        case .other(let name): throw CryptoError(operation: "reading a private key", reason: "keys of type \(name) are not supported")
        }
        self.key = key
    }

    /// Lends one private number, big-endian: for RSA "d", "p", "q", "dp", "dq", "qi" without leading zeros, for EC "d" of the curve's size.
    /// Nil, without
    /// calling `body`, for any other name. The pointer must not escape `body`.
    package borrowing func withNumber<Result, Failure: Error>(_ name: String, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result)
        throws(Failure) -> Result?
    {
        guard let parameter = parameter(name), let number = key.number(parameter) else { return nil }
        defer { wipeVectorRegisters() }
        var size = number.byteCount
        if case .ec(let curve) = kind { size = curve.coordinateByteCount }
        let bytes = SecretBytes(capacity: size) { number.write(to: $0) ? size : 0 }
        return try bytes.withUnsafeBytes(body)
    }

    private func parameter(_ name: String) -> String? {
        switch (kind, name) {
        case (.rsa, "d"): RSAPrivateParameter.d
        case (.rsa, "p"): RSAPrivateParameter.p
        case (.rsa, "q"): RSAPrivateParameter.q
        case (.rsa, "dp"): RSAPrivateParameter.dp
        case (.rsa, "dq"): RSAPrivateParameter.dq
        case (.rsa, "qi"): RSAPrivateParameter.qi
        case (.ec, "d"): OSSL_PKEY_PARAM_PRIV_KEY
        default: nil
        }
    }
}
