internal import COpenSSL

/// Sizes and exponents that OpenSSL would accept but nobody should.
enum RSAPublicChecks {
    static let bits = 2048...16384

    static func requireUsable(_ n: borrowing BigNumber, _ e: borrowing BigNumber, _ operation: String) throws(CryptoError) {
        let size = n.bitCount
        guard bits.contains(size) else { throw CryptoError(operation: operation, reason: "an RSA key of \(size) bits is not accepted") }
        guard n.isOdd, e.isOdd, !e.isOne, e.bitCount <= 64 else {
            throw CryptoError(operation: operation, reason: "the RSA modulus or exponent is not usable")
        }
    }

    /// The same for OpenSSL's key; keys of other types pass.
    static func requireUsable(_ key: KeyHandle, _ operation: String) throws(CryptoError) {
        guard case .rsa = key.kind else { return }
        guard let n = key.number(OSSL_PKEY_PARAM_RSA_N), let e = key.number(OSSL_PKEY_PARAM_RSA_E) else {
            throw CryptoError(operation: operation, reason: "the RSA key has no modulus or no exponent")
        }
        try requireUsable(n, e, operation)
    }
}
