internal import COpenSSL
internal import SecureMemory

/// Makes two-prime RSA keys by FIPS 186-5, section A.1.3 (random probable primes), with the exponent 65537.
///
/// OpenSSL's `EVP_PKEY_generate` builds the primes from auxiliary primes instead (section A.1.6), which the standard leaves as a choice for moduli of 2048 bits and
/// more, and judges them with 64 rounds, which costs several times as much.
enum RSAKeyGeneration {
    private static let operation = "generating an RSA key"
    private static let exponent: UInt = 65537

    static func key(bits: Int) throws(CryptoError) -> KeyHandle {
        let search = try search(keyBits: bits)
        while true {
            if let key = try key(try search.prime(), try search.prime(), bits: bits) { return key }
        }
    }

    /// A search for primes of a key of that many bits. `pause` is called after each round of Miller-Rabin.
    static func search(
        keyBits: Int, pause: @escaping @Sendable () -> Void = {}
    ) throws(CryptoError) -> RSAPrimeSearch {
        guard keyBits == 2048 || keyBits == 3072 || keyBits == 4096 else {
            throw CryptoError(operation: operation, reason: "\(keyBits) bits: only 2048, 3072 and 4096 are made")
        }
        OpenSSLErrorQueue.clear()
        return try RSAPrimeSearch(bits: Int32(keyBits / 2), exponent: exponent, pause: pause)
    }

    /// The public half of the key of these primes.
    static func publicNumbers(
        _ first: borrowing BigNumber, _ second: borrowing BigNumber
    ) throws(CryptoError) -> RSAPublicNumbers {
        OpenSSLErrorQueue.clear()
        guard let context = BN_CTX_secure_new() else { throw failure }
        defer { BN_CTX_free(context) }
        let n = try BigNumber()
        let e = try BigNumber()
        guard BN_mul(n.handle, first.handle, second.handle, context) == 1, BN_set_word(e.handle, exponent) == 1
        else { throw failure }
        return RSAPublicNumbers(n: n.bytes, e: e.bytes)
    }

    /// The key of these primes; nil where they lie close together or the exponent came out small, which nobody has seen: another pair will do.
    static func key(
        _ first: consuming BigNumber, _ second: consuming BigNumber, bits: Int
    ) throws(CryptoError) -> KeyHandle? {
        OpenSSLErrorQueue.clear()
        guard let context = BN_CTX_secure_new() else { throw failure }
        defer { BN_CTX_free(context) }
        return BN_cmp(first.handle, second.handle) > 0
            ? try assemble(p: first, q: second, bits: bits, context)
            : try assemble(p: second, q: first, bits: bits, context)
    }

    /// The key of p > q; nil where FIPS 186-5 wants another pair.
    private static func assemble(
        p: consuming BigNumber, q: consuming BigNumber, bits: Int, _ context: OpaquePointer
    ) throws(CryptoError) -> KeyHandle? {
        let n = try BigNumber()
        let e = try BigNumber()
        let d = try BigNumber()
        let dp = try BigNumber()
        let dq = try BigNumber()
        let qi = try BigNumber()
        let work = try BigNumber()
        guard BN_sub(work.handle, p.handle, q.handle) == 1 else { throw failure }
        guard work.bitCount > bits / 2 - 100 else { return nil }

        let order = try privateOrder(p: p, q: q, context)
        let pOrder = try BigNumber.predecessor(of: p)
        let qOrder = try BigNumber.predecessor(of: q)
        let pSecret = try BigNumber()
        guard BN_copy(pSecret.handle, p.handle) != nil else { throw failure }
        // Tells OpenSSL to divide and invert in constant time.
        BN_set_flags(pSecret.handle, BN_FLG_CONSTTIME)
        guard BN_set_word(e.handle, exponent) == 1,
            BN_mul(n.handle, p.handle, q.handle, context) == 1, n.bitCount == bits,
            BN_mod_inverse(d.handle, e.handle, order.handle, context) != nil
        else { throw failure }
        guard d.bitCount > bits / 2 else { return nil }
        BN_set_flags(d.handle, BN_FLG_CONSTTIME)
        guard BN_nnmod(dp.handle, d.handle, pOrder.handle, context) == 1,
            BN_nnmod(dq.handle, d.handle, qOrder.handle, context) == 1,
            BN_mod_inverse(qi.handle, q.handle, pSecret.handle, context) != nil
        else { throw failure }

        let numbers = RSAKeyNumbers(n: n, e: e, d: d, p: p, q: q, dp: dp, dq: dq, qi: qi)
        let key = try numbers.key(operation)
        guard opensWhatItSeals(key.pointer) else {
            throw CryptoError(operation: operation, reason: "the new key does not open what was sealed to it")
        }
        return key
    }

    /// Least common multiple of p-1 and q-1.
    private static func privateOrder(
        p: borrowing BigNumber, q: borrowing BigNumber, _ context: OpaquePointer
    ) throws(CryptoError) -> BigNumber {
        let pOrder = try BigNumber.predecessor(of: p)
        let qOrder = try BigNumber.predecessor(of: q)
        let common = try BigNumber()
        let product = try BigNumber()
        let order = try BigNumber()
        guard BN_gcd(common.handle, pOrder.handle, qOrder.handle, context) == 1,
            BN_mul(product.handle, pOrder.handle, qOrder.handle, context) == 1
        else { throw failure }
        BN_set_flags(product.handle, BN_FLG_CONSTTIME)
        guard BN_div(order.handle, nil, product.handle, common.handle, context) == 1 else { throw failure }
        BN_set_flags(order.handle, BN_FLG_CONSTTIME)
        return order
    }

    /// The pairwise test of FIPS 140: a fault while the key was made must not reach a key store.
    static func opensWhatItSeals(_ key: OpaquePointer) -> Bool {
        let sample = SecureRandom.bytes(32)
        guard let block = sample.withUnsafeBytes({ RSAOAEP.encrypt($0, to: key, digest: .sha256) })
        else { return false }
        return block.withUnsafeBytes { block in
            RSAOAEP.decrypt(block, with: key, digest: .sha256).withUnsafeBytes { opened in
                opened.elementsEqual(sample)
            }
        }
    }

    private static var failure: CryptoError {
        OpenSSLErrorQueue.error(operation, otherwise: "OpenSSL made no key")
    }
}
