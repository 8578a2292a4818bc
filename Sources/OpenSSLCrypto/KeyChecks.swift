internal import COpenSSL

/// What a key must be like before it is used or handed out.
enum KeyChecks {
    static let rsaBits = 2048...16384

    /// Sizes and exponents that OpenSSL would accept but nobody should.
    static func requireUsablePublicPart(of key: KeyHandle, _ operation: String) throws(CryptoError) {
        guard case .rsa(let bits) = key.kind else { return }
        guard rsaBits.contains(bits) else {
            throw CryptoError(operation: operation, reason: "an RSA key of \(bits) bits is not accepted")
        }
        guard let n = key.number(OSSL_PKEY_PARAM_RSA_N), let e = key.number(OSSL_PKEY_PARAM_RSA_E) else {
            throw CryptoError(operation: operation, reason: "the RSA key has no modulus or no exponent")
        }
        guard n.isOdd, e.isOdd, !e.isOne, e.bitCount <= 64 else {
            throw CryptoError(operation: operation, reason: "the RSA modulus or exponent is not usable")
        }
    }

    /// Whether every number of a private key fits the others.
    static func requireConsistentPrivateKey(_ key: KeyHandle, _ operation: String) throws(CryptoError) {
        try requireUsablePublicPart(of: key, operation)
        switch key.kind {
        case .rsa:
            guard try RSAKeyArithmetic.isConsistent(key) else {
                throw CryptoError(operation: operation, reason: "the numbers of the RSA key do not fit each other")
            }
        case .ec:
            try requireConsistentCurveKey(key, operation)
        case .other(let name):
            throw CryptoError(operation: operation, reason: "keys of type \(name) are not supported")
        }
    }

    /// The point lies on the curve and belongs to the private number.
    private static func requireConsistentCurveKey(_ key: KeyHandle, _ operation: String) throws(CryptoError) {
        OpenSSLErrorQueue.clear()
        guard let context = EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil) else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "no memory")
        }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_check(context) == 1 else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "the numbers of the EC key do not fit each other")
        }
    }
}
