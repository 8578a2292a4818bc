internal import COpenSSL

/// The numbers of an RSA private key with two primes (RFC 8017, section 3.2).
struct RSAKeyNumbers: ~Copyable {
    let n, e, d, p, q, dp, dq, qi: BigNumber
}

extension RSAKeyNumbers {
    /// Reads an RSAPrivateKey (RFC 8017, appendix A.1.2): `der` is one SEQUENCE and nothing else. The numbers are not compared with each other.
    ///
    /// OpenSSL's own way from DER to a key, its decoders, asks every provider about every format and takes about as long as two private operations of the key;
    /// to ask the key for its numbers again takes half of one.
    init(der: UnsafeRawBufferPointer, _ operation: String) throws(CryptoError) {
        var reader = try DERReader.sequence(in: der, operation)
        guard try reader.integer().isZero else { throw reader.failure("not a key of two primes") }
        let n = try reader.integer()
        let e = try reader.integer()
        let d = try reader.integer()
        let p = try reader.integer()
        let q = try reader.integer()
        let dp = try reader.integer()
        let dq = try reader.integer()
        let qi = try reader.integer()
        try reader.requireEnd()
        self.init(n: n, e: e, d: d, p: p, q: q, dp: dp, dq: dq, qi: qi)
    }

    /// The numbers of a JWK.
    init(_ numbers: RSAPrivateNumbers) throws(CryptoError) {
        let n = try BigNumber(numbers.n)
        let e = try BigNumber(numbers.e)
        let d = try BigNumber(numbers.d)
        let p = try BigNumber(numbers.p)
        let q = try BigNumber(numbers.q)
        let dp = try BigNumber(numbers.dp)
        let dq = try BigNumber(numbers.dq)
        let qi = try BigNumber(numbers.qi)
        self.init(n: n, e: e, d: d, p: p, q: q, dp: dp, dq: dq, qi: qi)
    }

    /// The numbers of OpenSSL's key, which must have two primes: more are a key that a JWK cannot express.
    init(_ key: KeyHandle, _ operation: String) throws(CryptoError) {
        guard let n = key.number(OSSL_PKEY_PARAM_RSA_N), let e = key.number(OSSL_PKEY_PARAM_RSA_E),
            let d = key.number(RSAPrivateParameter.d),
            let p = key.number(RSAPrivateParameter.p), let q = key.number(RSAPrivateParameter.q),
            let dp = key.number(RSAPrivateParameter.dp), let dq = key.number(RSAPrivateParameter.dq),
            let qi = key.number(RSAPrivateParameter.qi),
            key.number(RSAPrivateParameter.thirdPrime) == nil
        else { throw CryptoError(operation: operation, reason: "the RSA key has not the numbers of two primes") }
        self.init(n: n, e: e, d: d, p: p, q: q, dp: dp, dq: dq, qi: qi)
    }

    /// OpenSSL's key of these numbers.
    borrowing func key(_ operation: String) throws(CryptoError) -> KeyHandle {
        var assembly = try KeyAssembly(operation)
        assembly.add(OSSL_PKEY_PARAM_RSA_N, copyOf: n)
        assembly.add(OSSL_PKEY_PARAM_RSA_E, copyOf: e)
        assembly.add(RSAPrivateParameter.d, copyOf: d)
        assembly.add(RSAPrivateParameter.p, copyOf: p)
        assembly.add(RSAPrivateParameter.q, copyOf: q)
        assembly.add(RSAPrivateParameter.dp, copyOf: dp)
        assembly.add(RSAPrivateParameter.dq, copyOf: dq)
        assembly.add(RSAPrivateParameter.qi, copyOf: qi)
        return try assembly.key(type: "RSA", hasPrivatePart: true)
    }
}
