internal import BrokerCore
internal import Glibc
public import Logging
public import OpenSSLCrypto
internal import Synchronization

/// Single-use wrapping keys, made ahead of time in the background.
///
/// An RSA key costs some ten times what the rest of a release costs, so a few wait here. A key is given out once and never comes back.
public final class WrappingKeyPool: Sendable {
    /// Modulus length of every key, in bits.
    public let keyBits: Int
    /// Most keys that wait at a time; 0 makes each key when it is wanted.
    public let capacity: Int

    private struct State {
        var ready: [Box] = []
        var isFilling = false
        var isStopped = false
        var lastTake: ContinuousClock.Instant?
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
    private let quietTime: Duration
    private let logger: Logger

    /// `quietTime` is how long after a key was taken the next release, if there is one, has begun.
    public init(
        keyBits: Int = 2048, capacity: Int = 2, quietTime: Duration = .milliseconds(100), logger: Logger
    ) {
        self.quietTime = quietTime
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
        let box = state.withLock { state in
            state.lastTake = .now
            return state.ready.popLast()
        }
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
                waitForQuiet()
                fillOne(after: Box(try WrappingKey(generatingBits: keyBits)))
            } catch {
                logger.error("a wrapping key could not be made ahead of time", metadata: ["reason": "\(error)"])
                state.withLock { $0.isFilling = false }
            }
        }
        if !started { _ = wantsMore(after: made, isLast: true) }
    }

    /// Releases come first: while they come one after the other, keys are made only when few are left, because even a thread that yields to all others takes
    /// caches and memory from them.
    private func waitForQuiet() {
        while true {
            let pause = state.withLock { state -> Duration in
                guard let lastTake = state.lastTake, !state.isStopped, state.ready.count >= lowCount else {
                    return .zero
                }
                return ContinuousClock.now.duration(to: lastTake.advanced(by: quietTime))
            }
            guard pause > .zero else { return }
            // In pieces, so that a pool that is shut down does not keep the thread.
            var time = timespec(tv_sec: 0, tv_nsec: Int(min(pause, .milliseconds(100)) / .nanoseconds(1)))
            nanosleep(&time, nil)
        }
    }

    private var lowCount: Int { max(1, capacity / 4) }

    /// Keeps `made`; whether another key is wanted.
    private func wantsMore(after made: Box?, isLast: Bool = false) -> Bool {
        state.withLock { state in
            if let made, !state.isStopped { state.ready.append(made) }
            state.isFilling = !isLast && !state.isStopped && state.ready.count < capacity
            return state.isFilling
        }
    }
}
