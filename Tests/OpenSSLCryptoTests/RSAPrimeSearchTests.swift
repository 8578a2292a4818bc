import COpenSSL
import Synchronization
import Testing

@testable import OpenSSLCrypto

@Suite("The test for primes, and where it ends")
struct RSAPrimeSearchTests {
    /// Whether the number passes, and how often OpenSSL reported on the way.
    private func judge(
        _ number: borrowing BigNumber, rounds: Int32 = RSAPrimeSearch.roundCount
    ) throws -> (passes: Bool, reports: Int) {
        let context = try #require(BN_CTX_secure_new())
        defer { BN_CTX_free(context) }
        let reports = Mutex(0)
        let passes = try RSAPrimeSearch.Rounds { reports.withLock { $0 += 1 } }.pass(number, count: rounds, context)
        return (passes, reports.withLock { $0 })
    }

    /// 2^exponent - 1.
    private func mersenne(_ exponent: Int) throws -> BigNumber {
        try BigNumber([UInt8((1 << (exponent % 8)) - 1)] + [UInt8](repeating: 0xFF, count: exponent / 8))
    }

    @Test("A prime passes after trial division and eight rounds, not sooner and not later", arguments: [1279, 2203])
    func primes(exponent: Int) throws {
        let (passes, reports) = try judge(try mersenne(exponent))
        #expect(passes)
        #expect(reports == 9)
    }

    @Test("A round that is wanted alone is one, and the others are the rest", arguments: [1, 7] as [Int32])
    func parts(rounds: Int32) throws {
        let (passes, reports) = try judge(try mersenne(1279), rounds: rounds)
        #expect(passes)
        #expect(reports == 1 + Int(rounds))
    }

    @Test("A likely prime has passed one round, and a confirmed one eight in all")
    func stages() throws {
        let reports = Mutex(0)
        let search = try RSAKeyGeneration.search(keyBits: 2048) { reports.withLock { $0 += 1 } }
        let likely = try search.likelyPrime()
        reports.withLock { $0 = 0 }
        let isConfirmed = try search.confirms(likely)
        #expect(isConfirmed)
        #expect(reports.withLock { $0 } == 8)
        let other = try search.likelyPrime()
        let product = try BigNumber()
        let context = try #require(BN_CTX_new())
        defer { BN_CTX_free(context) }
        #expect(BN_mul(product.handle, likely.handle, other.handle, context) == 1)
        let isRefused = try !search.confirms(product)
        #expect(isRefused)
    }

    @Test("The same test again says the same: nothing is left of the one before")
    func again() throws {
        let context = try #require(BN_CTX_secure_new())
        defer { BN_CTX_free(context) }
        let rounds = try RSAPrimeSearch.Rounds {}
        let prime = try mersenne(1279)
        let composite = try BigNumber()
        #expect(BN_sqr(composite.handle, prime.handle, context) == 1)
        for _ in 0..<3 {
            let (isPrime, isComposite) = (
                try rounds.pass(prime, count: 8, context), try rounds.pass(composite, count: 8, context)
            )
            #expect(isPrime)
            #expect(!isComposite)
        }
        #expect(ERR_peek_error() == 0)
    }

    @Test("A number that 2 believes, without a small factor, fails", arguments: [1277, 1283, 2207])
    func composites(exponent: Int) throws {
        // 2^(n-1) is 1 modulo n for each Mersenne number of prime exponent: random bases must be asked.
        #expect(try !judge(try mersenne(exponent)).passes)
    }

    @Test("Composites that a quarter of all bases believe, as many as there can be, fail")
    func liars() throws {
        // (2r+1)(4r+1), r odd and both prime: the worst case of Miller-Rabin. One round lets each pass with 1/4, eight with 1/65536.
        var found = 0
        var r: UInt64 = 1 << 60 + 1
        while found < 4 {
            defer { r += 2 }
            let (p, q) = (2 * r + 1, 4 * r + 1)
            guard try judge(try BigNumber(p.bytes)).passes, try judge(try BigNumber(q.bytes)).passes else { continue }
            found += 1
            let (high, low) = p.multipliedFullWidth(by: q)
            #expect(try !judge(try BigNumber(high.bytes + low.bytes)).passes)
        }
    }

    @Test("What is found is a prime by all of OpenSSL's rounds, of full length, and fits the exponent")
    func found() throws {
        for keyBits in [2048, 3072] {
            let prime = try RSAKeyGeneration.search(keyBits: keyBits).prime()
            let isPrime = BN_check_prime(prime.handle, nil, nil)
            let bits = prime.bitCount
            let hasTopTwo = BN_is_bit_set(prime.handle, Int32(keyBits / 2 - 2))
            let remainder = BN_mod_word(prime.handle, 65537)
            #expect(isPrime == 1)
            #expect(bits == keyBits / 2)
            #expect(hasTopTwo == 1)
            #expect(remainder > 1)
        }
    }
}

extension UInt64 {
    fileprivate var bytes: [UInt8] { (0..<8).reversed().map { UInt8(truncatingIfNeeded: self >> (8 * $0)) } }
}
