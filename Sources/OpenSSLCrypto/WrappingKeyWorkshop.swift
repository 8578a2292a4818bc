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
    /// `pause` is called on the same thread every now and then, at least after each round of Miller-Rabin.
    public func contribute(pause: @escaping @Sendable () -> Void = {}) throws(CryptoError) -> WrappingKey? {
        var found: BigNumber? = try RSAKeyGeneration.prime(keyBits: keyBits, pause: pause)
        let waited = unpaired.withLock { unpaired -> BigNumber? in
            if let waiting = unpaired.take() { return waiting }
            unpaired = found.take()
            return nil
        }
        guard let first = waited, let second = found.take(),
            let key = try RSAKeyGeneration.key(first, second, bits: keyBits)
        else { return nil }
        return try WrappingKey(key, bits: keyBits)
    }

    /// Wipes the prime that waits, if there is one.
    public func discard() {
        _ = unpaired.withLock { $0.take() }
    }
}
