/// The public numbers of an RSA key, big-endian without leading zeros.
public struct RSAPublicNumbers: Sendable, Equatable, Hashable {
    /// Modulus.
    public let n: [UInt8]
    /// Public exponent.
    public let e: [UInt8]

    /// Leading zero bytes, which some producers write, are dropped.
    public init(n: [UInt8], e: [UInt8]) {
        self.n = Array(n.drop { $0 == 0 })
        self.e = Array(e.drop { $0 == 0 })
    }
}
