internal import COpenSSL

/// Looks for probable primes as FIPS 186-5, section A.1.3, does: fresh random candidates until one passes.
///
/// OpenSSL judges every candidate (`BN_check_prime`), and is stopped when enough rounds have passed. Before that, candidates with a small factor are thrown away,
/// with more small primes than OpenSSL's own generator tries, so that fewer candidates cost a round.
struct RSAPrimeSearch: ~Copyable {
    /// Rounds of Miller-Rabin that a candidate passes. Table B.1 of FIPS 186-5 asks for 4 or 5. For a random candidate of 1024 bits or more, eight leave a composite
    /// with a probability below 2^-150 (Damgård, Landrock, Pomerance 1993: k^1.5 · 2^t · t^-0.5 · 4^(2-√(tk))). OpenSSL's 64 are for numbers that somebody else
    /// chose, and would be half of the work.
    static let roundCount: Int32 = 8

    /// The odd primes below 4096 whose products fit in a word, word by word.
    private static let words: [(product: UInt, primes: [UInt])] = {
        var isComposite = [Bool](repeating: false, count: 4096)
        var words: [(product: UInt, primes: [UInt])] = []
        var current: (product: UInt, primes: [UInt]) = (1, [])
        for number in stride(from: 3, to: 4096, by: 2) where !isComposite[number] {
            for multiple in stride(from: number * number, to: 4096, by: 2 * number) { isComposite[multiple] = true }
            let (product, overflow) = current.product.multipliedReportingOverflow(by: UInt(number))
            if overflow {
                words.append(current)
                current = (UInt(number), [UInt(number)])
            } else {
                current.product = product
                current.primes.append(UInt(number))
            }
        }
        words.append(current)
        return words
    }()

    private let bits: Int32
    private let exponent: UInt
    private let rounds: Rounds
    private let context: OpaquePointer

    /// For primes of that many bits. `pause` is called after each round of Miller-Rabin, on the thread that searches.
    init(bits: Int32, exponent: UInt, pause: @escaping @Sendable () -> Void) throws(CryptoError) {
        let rounds = try Rounds(pause)
        guard let context = BN_CTX_secure_new() else { throw Self.failure }
        self.bits = bits
        self.exponent = exponent
        self.rounds = rounds
        self.context = context
    }

    deinit { BN_CTX_free(context) }

    /// A probable prime.
    borrowing func prime() throws(CryptoError) -> BigNumber {
        while true {
            let candidate = try likelyPrime()
            if try confirms(candidate) { return candidate }
        }
    }

    /// A candidate that passed its first round, with both of its highest bits set, so that two of them make a modulus of full length, and with p-1 prime to the
    /// exponent. A composite comes this far with a probability below 2^-40 (as above, with t = 1): it is a prime for all that can be told, and `confirms` must
    /// still say so before anybody relies on it.
    borrowing func likelyPrime() throws(CryptoError) -> BigNumber {
        while true {
            let candidate = try BigNumber()
            guard BN_priv_rand_ex(candidate.handle, bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD, 0, context) == 1
            else { throw Self.failure }
            // The exponent is prime, so only a multiple of it has a factor in common.
            guard !hasSmallFactor(candidate), BN_mod_word(candidate.handle, exponent) != 1 else { continue }
            if try rounds.pass(candidate, count: 1, context) { return candidate }
        }
    }

    /// Whether a likely prime passes the other rounds.
    borrowing func confirms(_ candidate: borrowing BigNumber) throws(CryptoError) -> Bool {
        try rounds.pass(candidate, count: Self.roundCount - 1, context)
    }

    /// OpenSSL's rounds of Miller-Rabin, as far as they are wanted.
    final class Rounds {
        private let callback: OpaquePointer
        private let pause: @Sendable () -> Void
        private var count: Int32 = 0
        private var isEnough = false

        init(_ pause: @escaping @Sendable () -> Void) throws(CryptoError) {
            guard let callback = BN_GENCB_new() else { throw RSAPrimeSearch.failure }
            self.callback = callback
            self.pause = pause
            // Called with 1 and -1 after trial division, and with 1 and the number of the round after each that was passed, from 0; to return 0 ends the test.
            BN_GENCB_set(
                callback,
                { event, round, callback in
                    guard let own = BN_GENCB_get_arg(callback) else { return 0 }
                    return Unmanaged<Rounds>.fromOpaque(own).takeUnretainedValue().goesOn(event, after: round) ? 1 : 0
                }, Unmanaged.passUnretained(self).toOpaque())
        }

        /// Whether the number passes `count` rounds, each with a random base of its own.
        func pass(
            _ number: borrowing BigNumber, count: Int32, _ context: OpaquePointer
        ) throws(CryptoError) -> Bool {
            self.count = count
            isEnough = false
            switch BN_check_prime(number.handle, context, callback) {
            case 1: return true
            case 0: return false
            default:
                guard isEnough else { throw RSAPrimeSearch.failure }
                OpenSSLErrorQueue.clear()
                return true
            }
        }

        private func goesOn(_ event: Int32, after round: Int32) -> Bool {
            pause()
            isEnough = event == 1 && round == count - 1
            return !isEnough
        }

        deinit { BN_GENCB_free(callback) }
    }

    private borrowing func hasSmallFactor(_ candidate: borrowing BigNumber) -> Bool {
        for word in Self.words {
            let remainder = BN_mod_word(candidate.handle, word.product)
            for prime in word.primes where remainder.isMultiple(of: prime) { return true }
        }
        return false
    }

    private static var failure: CryptoError {
        OpenSSLErrorQueue.error("generating an RSA key", otherwise: "OpenSSL made no prime")
    }
}
