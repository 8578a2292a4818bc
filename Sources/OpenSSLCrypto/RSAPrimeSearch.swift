internal import COpenSSL

/// Looks for probable primes as FIPS 186-5, section A.1.3, does: fresh random candidates until one passes.
///
/// OpenSSL judges every candidate (`BN_check_prime`: 64 rounds of Miller-Rabin or more). Before that, candidates with a small factor are thrown away, with more
/// small primes than OpenSSL's own generator tries, so that fewer candidates cost a round.
struct RSAPrimeSearch {
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

    private let context: OpaquePointer
    private let exponent: UInt

    init(_ context: OpaquePointer, exponent: UInt) {
        self.context = context
        self.exponent = exponent
    }

    /// A probable prime with both of its highest bits set, so that two of them make a modulus of full length, and with p-1 prime to the exponent.
    func prime(bits: Int, pause: @escaping @Sendable () -> Void) throws(CryptoError) -> BigNumber {
        let rounds = try Rounds(pause)
        defer { withExtendedLifetime(rounds) {} }
        while true {
            let candidate = try BigNumber()
            guard BN_priv_rand_ex(candidate.handle, Int32(bits), BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD, 0, context) == 1
            else { throw Self.failure }
            // The exponent is prime, so only a multiple of it has a factor in common.
            guard !hasSmallFactor(candidate), BN_mod_word(candidate.handle, exponent) != 1 else { continue }
            switch BN_check_prime(candidate.handle, context, rounds.callback) {
            case 1: return candidate
            case 0: continue
            default: throw Self.failure
            }
        }
    }

    /// OpenSSL's report of each round.
    private final class Rounds {
        let callback: OpaquePointer
        private let pause: @Sendable () -> Void

        init(_ pause: @escaping @Sendable () -> Void) throws(CryptoError) {
            guard let callback = BN_GENCB_new() else { throw RSAPrimeSearch.failure }
            self.callback = callback
            self.pause = pause
            BN_GENCB_set(
                callback,
                { _, _, callback in
                    if let own = BN_GENCB_get_arg(callback) {
                        Unmanaged<Rounds>.fromOpaque(own).takeUnretainedValue().pause()
                    }
                    return 1
                }, Unmanaged.passUnretained(self).toOpaque())
        }

        deinit { BN_GENCB_free(callback) }
    }

    private func hasSmallFactor(_ candidate: borrowing BigNumber) -> Bool {
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
