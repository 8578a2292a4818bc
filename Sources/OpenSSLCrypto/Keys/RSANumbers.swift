/// The public numbers of an RSA key, big-endian without leading zeros.
package struct RSAPublicNumbers: Sendable, Equatable, Hashable {
    /// Modulus.
    package let n: [UInt8]
    /// Public exponent.
    package let e: [UInt8]

    /// Leading zero bytes, which some producers write, are dropped.
    package init(n: [UInt8], e: [UInt8]) {
        self.n = Array(n.drop { $0 == 0 })
        self.e = Array(e.drop { $0 == 0 })
    }
}

/// The numbers of an RSA private key as a JWK names them (RFC 7518, section 6.3.2), big-endian. Ordinary arrays: for keys of tests and
/// simulators.
package struct RSAPrivateNumbers: Sendable {
    package var n, e, d, p, q, dp, dq, qi: [UInt8]

    package init(n: [UInt8], e: [UInt8], d: [UInt8], p: [UInt8], q: [UInt8], dp: [UInt8], dq: [UInt8], qi: [UInt8]) {
        (self.n, self.e, self.d, self.p) = (n, e, d, p)
        (self.q, self.dp, self.dq, self.qi) = (q, dp, dq, qi)
    }
}

/// OpenSSL's names of an RSA key's private numbers (`openssl/core_names.h`, where some are macros that Swift does not see).
enum RSAPrivateParameter {
    static let d = "d"
    static let p = "rsa-factor1"
    static let q = "rsa-factor2"
    static let thirdPrime = "rsa-factor3"
    static let dp = "rsa-exponent1"
    static let dq = "rsa-exponent2"
    static let qi = "rsa-coefficient1"
}
