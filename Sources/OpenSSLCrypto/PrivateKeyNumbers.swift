internal import COpenSSL
public import SecureMemory

/// The numbers of a released private key, for its JWK. Nothing private leaves the memory of a `SecretBytes`.
public struct PrivateKeyNumbers: ~Copyable, Sendable {
    /// What kind of key it is.
    public enum Kind: Sendable, Equatable {
        case rsa
        case ec(EllipticCurve)
    }

    public let kind: Kind
    /// Public numbers of an RSA key; nil for an EC key.
    public let rsaPublic: RSAPublicNumbers?
    /// Coordinates of an EC key, big-endian, each of the curve's size; nil for an RSA key.
    public let ecPublic: (x: [UInt8], y: [UInt8])?
    /// All private numbers, one after the other.
    private let numbers: SecretBytes
    private let ranges: [(name: String, range: Range<Int>)]

    /// Parses PKCS#8 PrivateKeyInfo (RFC 5208) in DER and checks that the numbers fit each other: RSA with two primes, p·q = n, an odd exponent of at
    /// least 3 and the four derived numbers; EC with the point on P-256, P-384 or P-521 and belonging to the private number.
    public init(pkcs8DER: borrowing SecretBytes) throws(CryptoError) {
        let handle = try pkcs8DER.withUnsafeBytes { bytes throws(CryptoError) in try PrivateKeyParsing.pkcs8(bytes) }
        try self.init(handle)
    }

    /// The numbers of a key at hand, for the JWK of an import.
    public init(_ key: PrivateKey) throws(CryptoError) {
        try self.init(key.handle)
    }

    private init(_ handle: KeyHandle) throws(CryptoError) {
        let kind: Kind
        let names: [(String, String)]
        var fixedSize: Int?
        switch handle.kind {
        case .rsa:
            kind = .rsa
            names = Self.rsaNames
        case .ec(let curve):
            kind = .ec(curve)
            names = [("d", OSSL_PKEY_PARAM_PRIV_KEY)]
            fixedSize = curve.coordinateByteCount
        case .other(let name):
            throw CryptoError(operation: Self.operation, reason: "keys of type \(name) are not supported")
        }
        let rsaPublic = kind == .rsa ? handle.rsaNumbers : nil
        let ecPublic = handle.ecPoint
        guard rsaPublic != nil || ecPublic != nil else {
            throw CryptoError(operation: Self.operation, reason: "the key has no public half")
        }
        // No private number is longer than the modulus.
        let capacity = names.count * (fixedSize ?? rsaPublic?.n.count ?? 0)
        var ranges: [(name: String, range: Range<Int>)] = []
        let numbers = try SecretBytes(capacity: capacity) { output throws(CryptoError) in
            var used = 0
            for (name, parameter) in names {
                guard let number = handle.number(parameter), !number.isZero else {
                    throw CryptoError(operation: Self.operation, reason: "the key has no number \(name)")
                }
                let size = fixedSize ?? number.byteCount
                let target = output[used..<min(used + size, output.count)]
                guard target.count == size, number.write(to: UnsafeMutableRawBufferPointer(rebasing: target)) else {
                    throw CryptoError(operation: Self.operation, reason: "the number \(name) is too long")
                }
                ranges.append((name, used..<used + size))
                used += size
            }
            return used
        }
        self.kind = kind
        self.rsaPublic = rsaPublic
        self.ecPublic = ecPublic
        self.numbers = numbers
        self.ranges = ranges
    }

    /// Lends one private number, big-endian: for RSA "d", "p", "q", "dp", "dq", "qi" without leading zeros, for EC "d" of the curve's size. Nil, without
    /// calling `body`, for any other name. The pointer must not escape `body`.
    public borrowing func withNumber<Result, Failure: Error>(
        _ name: String, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard let range = ranges.first(where: { $0.name == name })?.range else { return nil }
        return try numbers.withUnsafeBytes { bytes throws(Failure) in
            try body(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }

    private static let rsaNames = [
        ("d", RSAPrivateParameter.d), ("p", RSAPrivateParameter.p), ("q", RSAPrivateParameter.q),
        ("dp", RSAPrivateParameter.dp), ("dq", RSAPrivateParameter.dq), ("qi", RSAPrivateParameter.qi),
    ]
    private static let operation = "reading the numbers of a private key"
}
