internal import Synchronization

/// Where several threads make wrapping keys together. Each looks for one prime at a time, and a key is there whenever two primes are, whoever found them: two
/// cores bring a key in half the time of one, and a thread that is late has worked for the next key.
///
/// Every prime is found among fresh random candidates (see `RSAPrimeSearch`), so which of them come first says nothing about their values.
public final class WrappingKeyWorkshop: Sendable {
    /// Modulus length of every key, in bits.
    public let keyBits: Int
    private let unpaired = Mutex<BigNumber?>(nil)

    public init(keyBits: Int) {
        self.keyBits = keyBits
    }

    /// Looks for one prime on the caller's thread, half the work of a key. Gives the key that the prime completes; nil where it waits for a second one.
    ///
    /// Where it completes one, `announce` is called first, on the same thread, with the key's public half: as soon as the second prime passed its first round. Its
    /// other rounds, the private half and the test of the whole key follow, some milliseconds in which the caller can prove whose key this is. Nothing may be
    /// sealed to it before it is there. Where it turns out to be none after all, which nobody has seen, this is an error.
    ///
    /// `pause` is called on the same thread every now and then, at least after each round of Miller-Rabin.
    public func contribute(
        announce: (RSAPublicNumbers) -> Void = { _ in }, pause: @escaping @Sendable () -> Void = {}
    ) throws(CryptoError) -> WrappingKey? {
        let search = try RSAKeyGeneration.search(keyBits: keyBits, pause: pause)
        let likely = try search.likelyPrime()
        if let first = unpaired.withLock({ $0.take() }) {
            announce(try RSAKeyGeneration.publicNumbers(first, likely))
            guard try search.confirms(likely) else { throw Self.noKey }
            return try key(first, likely)
        }
        guard try search.confirms(likely) else { return nil }
        var found: BigNumber? = likely
        // Another thread may have found one in the meantime.
        let waited = unpaired.withLock { unpaired -> BigNumber? in
            if let waiting = unpaired.take() { return waiting }
            unpaired = found.take()
            return nil
        }
        guard let first = waited, let second = found.take() else { return nil }
        announce(try RSAKeyGeneration.publicNumbers(first, second))
        return try key(first, second)
    }

    private func key(
        _ first: consuming BigNumber, _ second: consuming BigNumber
    ) throws(CryptoError) -> WrappingKey {
        guard let key = try RSAKeyGeneration.key(first, second, bits: keyBits) else { throw Self.noKey }
        return try WrappingKey(key, bits: keyBits)
    }

    private static let noKey = CryptoError(
        operation: "generating an RSA key", reason: "the two primes found make no key")

    /// Wipes the prime that waits, if there is one.
    public func discard() {
        _ = unpaired.withLock { $0.take() }
    }
}
