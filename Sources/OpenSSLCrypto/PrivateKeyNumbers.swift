internal import COpenSSL
public import SecureMemory

/// The numbers of a released private key, for its JWK. Nothing private leaves the memory of a `SecretBytes`.
public struct PrivateKeyNumbers: ~Copyable, Sendable {
    /// What kind of key it is.
    public enum Kind: Sendable, Equatable {
        case rsa
        case ec(EllipticCurve)
    }

    private let numbers: KeyNumbers

    public var kind: Kind {
        switch numbers {
        case .rsa: .rsa
        case .ec(let ec): .ec(ec.curve)
        }
    }

    /// Public numbers of an RSA key; nil for an EC key.
    public var rsaPublic: RSAPublicNumbers? {
        switch numbers {
        case .rsa(let rsa): RSAPublicNumbers(n: rsa.n.bytes, e: rsa.e.bytes)
        case .ec: nil
        }
    }

    /// Coordinates of an EC key, big-endian, each of the curve's size; nil for an RSA key.
    public var ecPublic: (x: [UInt8], y: [UInt8])? {
        switch numbers {
        case .rsa: nil
        case .ec(let ec): (ec.x, ec.y)
        }
    }

    /// Parses PKCS#8 PrivateKeyInfo (RFC 5208) in DER and checks that the numbers fit each other: RSA with two primes, p·q = n, an odd exponent of at
    /// least 3 and the four derived numbers; EC with the point on P-256, P-384 or P-521 and belonging to the private number.
    ///
    /// `known` is the public half of an RSA key as a signature vouches for it. Where it is the key's, the primality of p and q, which it implies, is not tested
    /// again; where it is not, nothing changes: comparing is the caller's.
    public init(pkcs8DER: borrowing SecretBytes, known: RSAPublicNumbers? = nil) throws(CryptoError) {
        numbers = try pkcs8DER.withUnsafeBytes { bytes throws(CryptoError) in
            try KeyNumbers(pkcs8: bytes, known: known)
        }
    }

    /// The numbers of a key at hand, for the JWK of an import.
    public init(_ key: PrivateKey) throws(CryptoError) {
        numbers = try KeyNumbers(key.handle, "reading the numbers of a private key")
    }

    /// Lends one private number, big-endian: for RSA "d", "p", "q", "dp", "dq", "qi" without leading zeros, for EC "d" of the curve's size. Nil, without
    /// calling `body`, for any other name. The pointer must not escape `body`.
    public borrowing func withNumber<Result, Failure: Error>(
        _ name: String, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        switch numbers {
        case .rsa(let rsa):
            switch name {
            case "d": try Self.lend(rsa.d, size: rsa.d.byteCount, body)
            case "p": try Self.lend(rsa.p, size: rsa.p.byteCount, body)
            case "q": try Self.lend(rsa.q, size: rsa.q.byteCount, body)
            case "dp": try Self.lend(rsa.dp, size: rsa.dp.byteCount, body)
            case "dq": try Self.lend(rsa.dq, size: rsa.dq.byteCount, body)
            case "qi": try Self.lend(rsa.qi, size: rsa.qi.byteCount, body)
            default: nil
            }
        case .ec(let ec):
            name == "d" ? try Self.lend(ec.d, size: ec.curve.coordinateByteCount, body) : nil
        }
    }

    private static func lend<Result, Failure: Error>(
        _ number: borrowing BigNumber, size: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        let bytes = SecretBytes(capacity: size) { number.write(to: $0) ? size : 0 }
        return try bytes.withUnsafeBytes(body)
    }
}
