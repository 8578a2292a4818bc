public import BrokerCore
internal import Dispatch
internal import Glibc
public import Logging
internal import OpenSSLCrypto
internal import Synchronization

/// Single-use wrapping keys, made ahead of time in the background.
///
/// An RSA key costs some eight times what the rest of a release costs, so a few wait here. A key is given out once and never comes back.
public final class WrappingKeyPool: Sendable {
    /// Modulus length of every key, in bits.
    public let keyBits: Int
    /// Most keys that wait at a time; 0 makes each key when it is wanted.
    public let capacity: Int

    private struct State {
        var ready: [TakenKey.Slot] = []
        /// Releases that found no key, in the order of arrival.
        var waiting: [Waiter] = []
        /// Threads that make keys for those.
        var makers = 0
        /// Threads that have half a prime and rest.
        var resting: [WrappingKeyMaker] = []
        /// Whether there is a thread that makes keys ahead of time.
        var isFilling = false
        /// Whether that thread is making one; it may also be waiting for quiet.
        var isMakingAhead = false
        var isStopped = false
        var lastTake: ContinuousClock.Instant?
        var counter: UInt64 = 0
    }

    private struct Waiter {
        let ticket: UInt64
        let key: FirstResult<TakenKey>
    }

    /// What there is for a release that wants a key.
    private enum Found {
        case ready(TakenKey.Slot)
        case soon(Waiter)
    }

    /// Brings one prime and may complete a key, whose public half it announces first; calls `pause` on its thread every now and then.
    typealias Contribution =
        @Sendable (
            _ announce: (RSAPublicNumbers) -> Void, _ pause: @escaping @Sendable () -> Void
        ) throws(CryptoError) -> WrappingKey?

    private let state = Mutex(State())
    private let contribute: Contribution
    private let discardPrimes: @Sendable () -> Void
    private let threadLimit: Int
    private let quietTime: Duration
    private let logger: Logger

    /// `quietTime` is how long after a key was taken the next release, if there is one, has begun; `threadLimit` is how many threads make keys for releases that
    /// wait for them, by default one for each core and at most four.
    public convenience init(
        keyBits: Int = 2048, capacity: Int = 2, quietTime: Duration = .milliseconds(100), threadLimit: Int? = nil,
        logger: Logger
    ) {
        let workshop = WrappingKeyWorkshop(keyBits: keyBits)
        self.init(
            keyBits: keyBits, capacity: capacity, quietTime: quietTime, threadLimit: threadLimit, logger: logger,
            discardPrimes: { workshop.discard() }
        ) { announce, pause throws(CryptoError) in try workshop.contribute(announce: announce, pause: pause) }
    }

    init(
        keyBits: Int, capacity: Int, quietTime: Duration, threadLimit: Int?, logger: Logger,
        discardPrimes: @escaping @Sendable () -> Void, contribute: @escaping Contribution
    ) {
        self.quietTime = quietTime
        self.threadLimit = threadLimit ?? max(1, min(4, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        self.keyBits = keyBits
        self.capacity = capacity
        self.logger = logger
        self.discardPrimes = discardPrimes
        self.contribute = contribute
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

    /// A key that nobody has used: from the pool, or the next one that is made when the pool is empty. Then several threads look for its primes, and who came
    /// first is served first, also by the thread that makes keys ahead of time.
    public func take(in context: RequestContext) async throws(BrokerError) -> TakenKey {
        let found: Found = state.withLock { state in
            state.lastTake = .now
            if let ready = state.ready.popLast() { return .ready(ready) }
            state.counter += 1
            let waiter = Waiter(ticket: state.counter, key: FirstResult())
            state.waiting.append(waiter)
            return .soon(waiter)
        }
        if case .soon = found { startMakers() }
        fill()
        switch found {
        case .ready(let ready): return TakenKey(ready)
        case .soon(let waiter):
            return try await waiter.key.result(by: context.deadline, late: Self.tooLate, gone: Self.gone) { error in
                self.leave(waiter, error)
            }
        }
    }

    static let tooLate = BrokerError(
        .deadlineExceeded, at: .release, "the request's deadline passed while its wrapping key was made")
    static let gone = BrokerError(.deadlineExceeded, at: .release, "the caller went away")

    /// Number of keys that wait.
    public var count: Int { state.withLock { $0.ready.count } }

    /// Number of releases that wait for a key.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Whether keys are being made ahead of time.
    var isFilling: Bool { state.withLock { $0.isFilling } }

    /// Number of threads that rest with half a prime.
    var restingCount: Int { state.withLock { $0.resting.count } }

    /// Whether any thread makes keys.
    var isBusy: Bool { state.withLock { $0.isFilling || $0.makers > 0 } }

    /// Ends the background work; the keys that wait can still be taken.
    public func stopFilling() {
        state.withLock { $0.isStopped = true }
    }

    /// Ends the background work and wipes the waiting keys.
    public func shutdown() {
        let resting = state.withLock { state in
            state.isStopped = true
            state.ready.removeAll()
            defer { state.resting.removeAll() }
            return state.resting
        }
        for maker in resting {
            maker.giveUp()
            maker.bell.signal()
        }
        discardPrimes()
    }

    private func leave(_ waiter: Waiter, _ error: BrokerError) {
        state.withLock { state in
            state.waiting.removeAll { $0.ticket == waiter.ticket }
        }
        // Without effect where its key has come already.
        waiter.key.finish(.failure(error))
    }

    /// Two threads for each release that waits, as far as there are cores: a key has two primes.
    private func startMakers() {
        while true {
            let (isOneMore, rested) = state.withLock { state -> (Bool, WrappingKeyMaker?) in
                guard state.makers < makersWanted(state) else { return (false, nil) }
                state.makers += 1
                return (true, state.resting.popLast())
            }
            guard isOneMore else { return }
            if let rested {
                rested.bell.signal()
            } else if !BackgroundThread.start({ self.serve(WrappingKeyMaker(hasOwnThread: true)) }) {
                // Without a thread the caller's has to do.
                serve(WrappingKeyMaker(hasOwnThread: false))
            }
        }
    }

    /// A thread that makes a key ahead of time is one of them: it has done part of the work already.
    private func makersWanted(_ state: borrowing State) -> Int {
        guard !state.waiting.isEmpty else { return 0 }
        return min(threadLimit, 2 * state.waiting.count - (state.isMakingAhead ? 1 : 0))
    }

    /// Makes keys for those who wait until nobody does.
    private func serve(_ maker: WrappingKeyMaker) {
        while true {
            do throws(CryptoError) {
                let promise = WrappingKeyPromise()
                let made = try work(promise) { if !promise.isMade { self.restIfNobodyWaits(maker) } }
                if let made { _ = hand(made, orKeep: true) }
            } catch {
                fail(error)
            }
            let isLast = state.withLock { state in
                guard !maker.standsBack else { return true }
                guard state.makers > makersWanted(state) else { return false }
                state.makers -= 1
                return true
            }
            guard !isLast else { return }
        }
    }

    /// One contribution. Who has waited longest when a key is announced gets it at once, and the rest of it when it is whole; gives a key that nobody waited for.
    private func work(
        _ promise: WrappingKeyPromise, pause: @escaping @Sendable () -> Void
    ) throws(CryptoError) -> TakenKey.Slot? {
        do throws(CryptoError) {
            let made = try contribute({ self.announce($0, promise) }, pause)
            guard let key = made else { return nil }
            let slot = TakenKey.Slot(key)
            let rehearsal = slot.rehearsal()
            guard promise.keep(.success(slot)) else { return slot }
            // While the key store is asked.
            _ = BackgroundThread.start { try? rehearsal?.run() }
            return nil
        } catch {
            _ = promise.keep(.failure(Self.failure(error)))
            throw error
        }
    }

    private func announce(_ numbers: RSAPublicNumbers, _ promise: WrappingKeyPromise) {
        let waiter = state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
        guard let waiter else { return }
        let rest = FirstResult<TakenKey.Slot>()
        promise.make(rest)
        waiter.key.finish(.success(TakenKey(numbers, rest: rest)))
    }

    /// Who waited has a key now and uses it: a prime that is half found is for a later key and must not stand in the way. It rests as long as another release may
    /// follow at once, and then it is found with what others leave of a core.
    private func restIfNobodyWaits(_ maker: WrappingKeyMaker) {
        guard maker.hasOwnThread, !maker.standsBack else { return }
        let mustRest = state.withLock { state in
            guard state.makers > makersWanted(state) else { return false }
            state.makers -= 1
            state.resting.append(maker)
            return true
        }
        guard mustRest else { return }
        let pause = DispatchTimeInterval.nanoseconds(Int(quietTime / .nanoseconds(1)))
        if maker.bell.wait(timeout: .now() + pause) == .timedOut {
            let isForgotten = state.withLock { state in
                let count = state.resting.count
                state.resting.removeAll { $0 === maker }
                return state.resting.count < count
            }
            if isForgotten { maker.giveUp() } else { maker.bell.wait() }
        }
        if maker.standsBack { BackgroundThread.standBack() }
    }

    /// Gives the key to who has waited longest; whether there was somebody. Otherwise it stays here on request, if there is room.
    private func hand(_ made: TakenKey.Slot, orKeep isKept: Bool = false) -> Bool {
        let waiter = state.withLock { state -> Waiter? in
            if !state.waiting.isEmpty { return state.waiting.removeFirst() }
            if isKept, !state.isStopped, state.ready.count < capacity { state.ready.append(made) }
            return nil
        }
        waiter?.key.finish(.success(TakenKey(made)))
        return waiter != nil
    }

    /// Tells everybody who waits that no key can be made.
    private func fail(_ error: CryptoError) {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting {
            waiter.key.finish(.failure(Self.failure(error)))
        }
    }

    private static func failure(_ error: CryptoError) -> BrokerError {
        BrokerError(.internal, at: .release, "a wrapping key could not be made", cause: error)
    }

    /// Makes one key after the other, each on a thread of its own, which first prepares the `made` key of the thread before: a key is used on other threads than the
    /// one that made it.
    private func fillOne(after made: TakenKey.Slot?) {
        let started = BackgroundThread.start(as: .low) { [self] in
            do throws(CryptoError) {
                try made?.rehearsal()?.run()
                // Somebody may have come while the key was prepared.
                guard wantsMore(after: made.flatMap { hand($0) ? nil : $0 }) else { return }
                waitForQuiet()
                let next = try makeAhead()
                fillOne(after: next.flatMap { hand($0) ? nil : $0 })
            } catch {
                logger.error("a wrapping key could not be made ahead of time", metadata: ["reason": "\(error)"])
                state.withLock { $0.isFilling = false }
            }
        }
        if !started { _ = wantsMore(after: made, isLast: true) }
    }

    /// The next key, or nil where somebody waited for it.
    private func makeAhead() throws(CryptoError) -> TakenKey.Slot? {
        state.withLock { $0.isMakingAhead = true }
        defer { state.withLock { $0.isMakingAhead = false } }
        while true {
            let promise = WrappingKeyPromise()
            if let made = try work(promise, pause: {}) { return made }
            if promise.isMade { return nil }
        }
    }

    /// Releases come first: while they come one after the other, keys are made only when few are left, because even a thread that stands back takes caches and
    /// memory from them.
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
    private func wantsMore(after made: TakenKey.Slot?, isLast: Bool = false) -> Bool {
        state.withLock { state in
            if let made, !state.isStopped, state.ready.count < capacity { state.ready.append(made) }
            state.isFilling = !isLast && !state.isStopped && state.ready.count < capacity
            return state.isFilling
        }
    }
}
