internal import Waiting
package import BrokerCore
package import Logging
package import OpenSSLCrypto
internal import Synchronization

/// Single-use wrapping keys, made ahead of time by one background thread. A key is given out once and never comes back.
package final class WrappingKeyPool: Sendable {
    /// A place for one key: arrays and results cannot hold values that cannot be copied.
    private final class Box: Sendable {
        private let key: Mutex<WrappingKey?>
        init(_ key: consuming WrappingKey) { self.key = Mutex(key) }
        func take() -> WrappingKey? { key.withLock { $0.take() } }
    }

    private struct State {
        var ready: [Box] = []
        /// Releases that found no key.
        var waiting = WaitList<Result<Box, BrokerError>>()
        var isMaking = false
        var isStopped = false

        func isKeyWanted(_ capacity: Int) -> Bool { !waiting.isEmpty || (!isStopped && ready.count < capacity) }
    }

    /// Modulus length of every key, in bits.
    package let keyBits: Int
    /// Most keys that wait at a time; 0 makes each key when it is wanted.
    package let capacity: Int
    private let state = Mutex(State())
    private let logger: Logger
    private let make: @Sendable () throws(CryptoError) -> WrappingKey

    package convenience init(keyBits: Int = 2048, capacity: Int = 2, logger: Logger) {
        self.init(keyBits: keyBits, capacity: capacity, logger: logger) { () throws(CryptoError) in
            try WrappingKey.generate(bits: keyBits)
        }
    }

    init(keyBits: Int, capacity: Int, logger: Logger, make: @escaping @Sendable () throws(CryptoError) -> WrappingKey) {
        self.keyBits = keyBits
        self.capacity = capacity
        self.logger = logger
        self.make = make
    }

    /// Number of keys that wait.
    package var count: Int { state.withLock { $0.ready.count } }

    /// Number of releases that wait for a key.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Whether the thread makes keys.
    var isBusy: Bool { state.withLock { $0.isMaking } }

    /// Starts filling in the background. Not needed before `take()`, which works with an empty pool too.
    package func fill() {
        let mustStart = state.withLock { state in
            guard !state.isMaking, state.isKeyWanted(capacity) else { return false }
            state.isMaking = true
            return true
        }
        guard mustStart else { return }
        // Without a thread the caller's has to do.
        if !BackgroundThread.start({ self.makeKeys() }) { makeKeys() }
    }

    /// A key that nobody has used: from the pool, or the next one that is made; who came first is served first, callers in turn.
    package func take(for share: String = "") async throws(BrokerError) -> WrappingKey {
        let (ready, waiter) = state.withLock { state in
            let ready = state.ready.popLast()
            return (ready, ready == nil ? state.waiting.add(share) : nil)
        }
        fill()
        var box = ready
        if let waiter {
            box = try await waiter.value { self.state.withLock { $0.waiting.remove(waiter) } }?.get()
        }
        guard let box else { throw .cancelled(at: .release) }
        guard let key = box.take() else { throw BrokerError(.internal, at: .release, "a wrapping key was taken twice") }
        return key
    }

    /// Ends the filling; the keys that wait can still be taken.
    package func stopFilling() { state.withLock { $0.isStopped = true } }

    /// Ends the filling and wipes the waiting keys.
    package func shutdown() {
        state.withLock { state in
            state.isStopped = true
            state.ready.removeAll()
        }
    }

    /// Makes one key after the other until none is wanted, or until two attempts in a row failed.
    private func makeKeys() {
        var failures = 0
        while isOneMoreWanted() {
            do throws(CryptoError) {
                hand(Box(try make()))
                failures = 0
            } catch {
                logger.error("a wrapping key could not be made", metadata: ["reason": "\(error)"])
                failures += 1
                if failures == 2 { return fail(error) }
            }
        }
    }

    private func isOneMoreWanted() -> Bool {
        state.withLock { state in
            state.isMaking = state.isKeyWanted(capacity)
            return state.isMaking
        }
    }

    /// Gives the key to who has waited longest, or keeps it where there is room.
    private func hand(_ made: Box) {
        let waiter = state.withLock { state in
            let waiter = state.waiting.takeFirst()
            if waiter == nil, !state.isStopped, state.ready.count < capacity { state.ready.append(made) }
            return waiter
        }
        waiter?.resume(.success(made))
    }

    /// Tells everybody who waits that no key can be made.
    private func fail(_ error: CryptoError) {
        let waiting = state.withLock { state in
            state.isMaking = false
            return state.waiting.takeAll()
        }
        let failure = BrokerError(.internal, at: .release, "a wrapping key could not be made", cause: error)
        for waiter in waiting { waiter.resume(.failure(failure)) }
    }
}
