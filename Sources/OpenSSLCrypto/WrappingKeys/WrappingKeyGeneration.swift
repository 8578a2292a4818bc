internal import COpenSSL
internal import Dispatch
internal import SecureMemory
internal import Synchronization

/// Makes wrapping keys by FIPS 186-5, section A.1.3 (random probable primes), with the exponent 65537: two primes from OpenSSL's generator,
/// one call each, and
/// OpenSSL's key of their numbers. Where OpenSSL runs with a FIPS provider, `EVP_PKEY_generate` makes the whole key.
enum WrappingKeyGeneration {
    private static let operation = "generating an RSA key"
    private static let exponent: UInt = 65537

    /// Makes a key of two primes; another one in tests.
    typealias Assembly = (_ p: borrowing BigNumber, _ q: borrowing BigNumber) throws(CryptoError) -> KeyHandle

    /// A key of 2048, 3072 or 4096 bits that has opened what was sealed to it.
    static func key(bits: Int, assembly: Assembly = assemble) throws(CryptoError) -> KeyHandle {
        guard KeyGeneration.rsaSizes.contains(bits) else {
            throw CryptoError(operation: operation, reason: "\(bits) bits: only 2048, 3072 and 4096 are made")
        }
        defer { wipeVectorRegisters() }
        OpenSSLErrorQueue.clear()
        let key =
            EVP_default_properties_is_fips_enabled(nil) == 1 ? try KeyGeneration.rsa(bits: bits) : try keyOfPrimes(bits: bits, assembly)
        guard opensWhatItSeals(key) else {
            throw CryptoError(operation: operation, reason: "the new key does not open what was sealed to it")
        }
        return key
    }

    private static func keyOfPrimes(bits: Int, _ assembly: Assembly) throws(CryptoError) -> KeyHandle {
        while true {
            let p = try BigNumber()
            let q = try BigNumber()
            let made = Atomic(0)
            DispatchQueue.concurrentPerform(iterations: 2) { index in
                if becomesPrime(index == 0 ? p.handle : q.handle, bits: bits / 2) { made.add(1, ordering: .relaxed) }
            }
            guard made.load(ordering: .relaxed) == 2 else { throw failure }
            if BN_cmp(p.handle, q.handle) < 0 { BN_swap(p.handle, q.handle) }
            if try areAcceptable(p, q, bits: bits) { return try assembly(p, q) }
        }
    }

    /// Sets `number` to a random prime whose two highest bits are set, so that the product of two has exactly twice its length.
    private static func becomesPrime(_ number: OpaquePointer, bits: Int) -> Bool {
        // The thread's error queue and registers are its own.
        defer {
            OpenSSLErrorQueue.clear()
            wipeVectorRegisters()
        }
        guard let context = BN_CTX_secure_new() else { return false }
        defer { BN_CTX_free(context) }
        guard BN_generate_prime_ex2(number, Int32(bits), 0, nil, nil, nil, context) == 1 else { return false }
        BN_set_flags(number, BN_FLG_CONSTTIME)
        return true
    }

    /// Whether p > q are far apart (FIPS 186-5, section A.1.3, step 5.4) and neither p-1 nor q-1 is a multiple of the exponent, which is
    /// prime.
    private static func areAcceptable(_ p: borrowing BigNumber, _ q: borrowing BigNumber, bits: Int) throws(CryptoError) -> Bool {
        let difference = try BigNumber()
        guard BN_sub(difference.handle, p.handle, q.handle) == 1 else { throw failure }
        return difference.bitCount > bits / 2 - 100 && BN_mod_word(p.handle, exponent) != 1 && BN_mod_word(q.handle, exponent) != 1
    }

    /// OpenSSL's key of these primes, with d = 1/e modulo the least common multiple of p-1 and q-1.
    static func assemble(p: borrowing BigNumber, q: borrowing BigNumber) throws(CryptoError) -> KeyHandle {
        guard let context = BN_CTX_secure_new() else { throw failure }
        defer { BN_CTX_free(context) }
        let pOrder = try BigNumber.predecessor(of: p)
        let qOrder = try BigNumber.predecessor(of: q)
        let common = try BigNumber()
        let product = try BigNumber()
        let order = try BigNumber()
        let n = try BigNumber()
        let e = try BigNumber()
        let d = try BigNumber()
        let dp = try BigNumber()
        let dq = try BigNumber()
        let qi = try BigNumber()
        // With this flag OpenSSL divides and inverts in constant time.
        for number in [product.handle, order.handle, d.handle] { BN_set_flags(number, BN_FLG_CONSTTIME) }
        guard BN_gcd(common.handle, pOrder.handle, qOrder.handle, context) == 1,
            BN_mul(product.handle, pOrder.handle, qOrder.handle, context) == 1,
            BN_div(order.handle, nil, product.handle, common.handle, context) == 1, BN_set_word(e.handle, exponent) == 1,
            BN_mul(n.handle, p.handle, q.handle, context) == 1, BN_mod_inverse(d.handle, e.handle, order.handle, context) != nil,
            BN_nnmod(dp.handle, d.handle, pOrder.handle, context) == 1,
            BN_nnmod(dq.handle, d.handle, qOrder.handle, context) == 1,
            BN_mod_inverse(qi.handle, q.handle, p.handle, context) != nil
        else { throw failure }
        var assembly = try KeyAssembly(operation)
        assembly.add(n: n, e: e, d: d, p: p, q: q, dp: dp, dq: dq, qi: qi)
        return try assembly.key(type: "RSA", hasPrivatePart: true)
    }

    /// The pairwise test of FIPS 140: a fault while the key was made must not reach a key store.
    private static func opensWhatItSeals(_ key: KeyHandle) -> Bool {
        let sample = SecureRandom.bytes(32)
        guard let block = sample.withUnsafeBytes({ RSAOAEP.encrypt($0, to: key.pointer, digest: .sha256) }) else { return false }
        return block.withUnsafeBytes { block in
            RSAOAEP.decrypt(block, with: key.pointer, digest: .sha256).withUnsafeBytes { $0.elementsEqual(sample) }
        }
    }

    private static var failure: CryptoError { OpenSSLErrorQueue.error(operation, otherwise: "OpenSSL made no key") }
}
