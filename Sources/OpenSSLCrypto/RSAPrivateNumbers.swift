/// The numbers of an RSA private key as a JWK names them (RFC 7518, section 6.3.2), big-endian. Ordinary arrays: for keys of tests and simulators.
public struct RSAPrivateNumbers: Sendable {
    public var n, e, d, p, q, dp, dq, qi: [UInt8]

    public init(
        n: [UInt8], e: [UInt8], d: [UInt8], p: [UInt8], q: [UInt8], dp: [UInt8], dq: [UInt8], qi: [UInt8]
    ) {
        (self.n, self.e, self.d, self.p) = (n, e, d, p)
        (self.q, self.dp, self.dq, self.qi) = (q, dp, dq, qi)
    }
}
