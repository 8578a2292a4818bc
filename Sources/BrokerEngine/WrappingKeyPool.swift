internal import BrokerCore
public import Logging
public import OpenSSLCrypto
internal import Synchronization

/// Single-use wrapping keys, made ahead of time in the background.
///
/// An RSA key costs some hundred times what the rest of a release costs, so a few wait here. A key is given out once and never comes back.
public final class WrappingKeyPool: Sendable {
    /// Modulus length of every key, in bits.
    public let keyBits: Int
    /// Most keys that wait at a time; 0 makes each key when it is wanted.
    public let capacity: Int

    private struct State {
        var ready: [Box] = []
        var isFilling = false
        var isStopped = false
    }

    /// A slot for one key: arrays cannot hold values that cannot be copied.
    private final class Box: Sendable {
        private let slot: Mutex<WrappingKey?>
        init(_ key: consuming WrappingKey) { slot = Mutex(key) }
        func rehearse() throws(CryptoError) {
            try slot.withLock { key throws(CryptoError) in try key?.rehearse() }
        }
        func take() -> WrappingKey? { slot.withLock { $0.take() } }
    }

    private let state = Mutex(State())
    private let logger: Logger

    public init(keyBits: Int = 2048, capacity: Int = 2, logger: Logger) {
        self.keyBits = keyBits
        self.capacity = capacity
        self.logger = logger
    }

    /// Starts filling in the background. Not needed before `take()`, which works with an empty pool too.
    public func fill() {
        let mustStart = state.withLock { state in
            guard !state.isStopped, !state.isFilling, state.ready.count < capacity else { return false }
            state.isFilling = true
            return true
        }
        guard mustStart else { return }
        fillOne(after: nil)
    }

    /// A key that nobody has used: from the pool, or made now when the pool is empty.
    public func take() async throws(CryptoError) -> WrappingKey {
        let box = state.withLock { $0.ready.popLast() }
        fill()
        if let key = box?.take() { return key }
        let bits = keyBits
        let made = await BackgroundThread.run { () -> Result<Box, CryptoError> in
            do throws(CryptoError) {
                return .success(Box(try WrappingKey(generatingBits: bits)))
            } catch {
                return .failure(error)
            }
        }
        guard let key = try made.get().take() else {
            throw CryptoError(operation: "wrapping key", reason: "a new key was taken twice")
        }
        return key
    }

    /// Number of keys that wait.
    public var count: Int { state.withLock { $0.ready.count } }

    /// Whether keys are being made in the background.
    var isFilling: Bool { state.withLock { $0.isFilling } }

    /// Ends the background work; the keys that wait can still be taken.
    public func stopFilling() {
        state.withLock { $0.isStopped = true }
    }

    /// Ends the background work and wipes the waiting keys.
    public func shutdown() {
        state.withLock { state in
            state.isStopped = true
            state.ready.removeAll()
        }
    }

    /// Makes one key after the other, each on a thread of its own, which first prepares the `made` key of the thread before: a key is used on other threads than the
    /// one that made it.
    private func fillOne(after made: Box?) {
        let started = BackgroundThread.start(niceness: 10) { [self] in
            do throws(CryptoError) {
                try made?.rehearse()
                guard wantsMore(after: made) else { return }
                fillOne(after: Box(try WrappingKey(generatingBits: keyBits)))
            } catch {
                logger.error("a wrapping key could not be made ahead of time", metadata: ["reason": "\(error)"])
                state.withLock { $0.isFilling = false }
            }
        }
        if !started { _ = wantsMore(after: made, isLast: true) }
    }

    /// Keeps `made`; whether another key is wanted.
    private func wantsMore(after made: Box?, isLast: Bool = false) -> Bool {
        state.withLock { state in
            if let made, !state.isStopped { state.ready.append(made) }
            state.isFilling = !isLast && !state.isStopped && state.ready.count < capacity
            return state.isFilling
        }
    }
}
