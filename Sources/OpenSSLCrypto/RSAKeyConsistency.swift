internal import COpenSSL

extension RSAKeyNumbers {
    /// These numbers, when their sizes are acceptable and they fit each other.
    ///
    /// `known` is the public half as somebody trustworthy states it. Where n and e are those, n = p·q leaves p and q no choice, and their primality need not be
    /// tested, which costs as much as an operation with the key.
    consuming func checked(_ operation: String, known: RSAPublicNumbers? = nil) throws(CryptoError) -> RSAKeyNumbers {
        try RSAPublicChecks.requireUsable(n, e, operation)
        let isKnown = known.map { $0 == RSAPublicNumbers(n: n.bytes, e: e.bytes) } ?? false
        guard try areConsistent(testingPrimes: !isKnown) else {
            throw CryptoError(operation: operation, reason: "the numbers of the RSA key do not fit each other")
        }
        return self
    }

    /// Whether n = p·q, e·d ≡ 1 modulo p-1 and q-1, dp, dq and qi belong to them, and neither p nor q fails Fermat's test with a random base.
    ///
    /// `EVP_PKEY_check` asks the same and proves primality with 64 rounds for each prime, which takes hundreds of milliseconds for a 4096-bit key. The numbers
    /// here come from an authenticated key store: the question is whether they are damaged, not whether somebody crafted pseudoprimes.
    private borrowing func areConsistent(testingPrimes: Bool) throws(CryptoError) -> Bool {
        guard let context = BN_CTX_secure_new() else {
            throw Self.noMemory
        }
        defer { BN_CTX_free(context) }

        let product = try BigNumber()
        guard p.isOdd, q.isOdd, !p.isOne, !q.isOne, BN_cmp(p.handle, q.handle) != 0,
            BN_mul(product.handle, p.handle, q.handle, context) == 1, BN_cmp(product.handle, n.handle) == 0,
            BN_cmp(d.handle, n.handle) < 0
        else { return Self.rejected() }
        guard try Self.isExponent(dp, of: d, e, prime: p, context),
            try Self.isExponent(dq, of: d, e, prime: q, context),
            try testingPrimes ? Self.passFermat(p, q, context) : true
        else { return Self.rejected() }
        guard BN_cmp(qi.handle, p.handle) < 0,
            BN_mod_mul(product.handle, qi.handle, q.handle, p.handle, context) == 1, product.isOne
        else { return Self.rejected() }
        return true
    }

    /// `reduced` = d mod (prime-1), and e·reduced ≡ 1 mod (prime-1).
    private static func isExponent(
        _ reduced: borrowing BigNumber, of d: borrowing BigNumber, _ e: borrowing BigNumber,
        prime: borrowing BigNumber, _ context: OpaquePointer
    ) throws(CryptoError) -> Bool {
        let order = try BigNumber.predecessor(of: prime)
        let work = try BigNumber()
        return BN_nnmod(work.handle, d.handle, order.handle, context) == 1
            && BN_cmp(work.handle, reduced.handle) == 0
            && BN_mod_mul(work.handle, reduced.handle, e.handle, order.handle, context) == 1 && work.isOne
    }

    /// a^(p-1) ≡ 1 mod p for a random a, and the same for q. Both at once, for which OpenSSL uses wide registers where there are any.
    private static func passFermat(
        _ p: borrowing BigNumber, _ q: borrowing BigNumber, _ context: OpaquePointer
    ) throws(CryptoError) -> Bool {
        let pOrder = try BigNumber.predecessor(of: p)
        let qOrder = try BigNumber.predecessor(of: q)
        let pBase = try base(below: p, context)
        let qBase = try base(below: q, context)
        let pResult = try BigNumber()
        let qResult = try BigNumber()
        return BN_mod_exp_mont_consttime_x2(
            pResult.handle, pBase.handle, pOrder.handle, p.handle, nil,
            qResult.handle, qBase.handle, qOrder.handle, q.handle, nil, context) == 1
            && pResult.isOne && qResult.isOne
    }

    /// A random number from 1 to `limit`-1.
    private static func base(below limit: borrowing BigNumber, _ context: OpaquePointer) throws(CryptoError)
        -> BigNumber
    {
        let base = try BigNumber()
        repeat {
            guard BN_priv_rand_range_ex(base.handle, limit.handle, 0, context) == 1 else { throw noMemory }
        } while base.isZero
        return base
    }

    private static var noMemory: CryptoError {
        OpenSSLErrorQueue.error("checking an RSA key", otherwise: "no memory")
    }

    private static func rejected() -> Bool {
        OpenSSLErrorQueue.clear()
        return false
    }
}
