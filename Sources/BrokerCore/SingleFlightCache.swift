internal import Waiting
internal import HTTPTransport
internal import Synchronization

/// Keeps fetched values while they are fresh, and fetches each key once however many callers want it at the same time.
///
/// Failures are not kept. A fetch serves everybody who waits for it and runs until the latest of their deadlines; a caller who is cancelled
/// leaves alone, and the fetch is cancelled when nobody waits any more.
public final class SingleFlightCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// What a fetch brought.
    public struct Fetched: Sendable {
        public let value: Value
        /// How long it may be reused; zero or less keeps it out of the cache.
        public let freshFor: Duration

        public init(_ value: Value, freshFor: Duration) {
            self.value = value
            self.freshFor = freshFor
        }
    }

    /// A value with the number of the fetch that brought it.
    public struct Found: Sendable {
        public let value: Value
        public let generation: UInt64
    }

    private struct Entry {
        let found: Found
        // Both clocks must agree that the value is fresh: a wall clock that is set back must not revive it.
        let obtainedAt: Int64
        let freshUntil: Int64
        let expiry: ContinuousClock.Instant
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var counter: UInt64 = 0
    }

    private let state = Mutex(State())
    private let fetches = SingleFlight<Key, Found, BrokerError>()
    private let capacity: Int
    private let clock: any WallClock
    private let stage: BrokerError.Stage

    /// Keeps at most `capacity` values; the one that expires first makes room. `stage` is where a caller was who is cancelled.
    public init(capacity: Int, clock: any WallClock, stage: BrokerError.Stage) {
        self.capacity = max(capacity, 1)
        self.clock = clock
        self.stage = stage
    }

    /// The cached value, or the one that `fetch` brings. `stale` names a generation that must not be answered with again.
    ///
    /// `fetch` gets a context whose deadline is always the latest of those who wait. A failure that `isOwn` says is the first caller's own
    /// is told to nobody else, as is the end of that caller's time: the others fetch again.
    public func value(
        for key: Key, in context: RequestContext, otherThan stale: UInt64? = nil,
        isOwn: @Sendable (BrokerError) -> Bool = { _ in false },
        fetch: @escaping @Sendable (RequestContext) async throws(BrokerError) -> Fetched
    ) async throws(BrokerError) -> Found {
        while true {
            if let known = known(key, otherThan: stale) { return known }
            let found = try await fetches.value(
                for: key, until: { context.deadline }, isOwn: { $0.code == .deadlineExceeded || isOwn($0) }
            ) { latest throws(BrokerError) in
                // It may have come since.
                if let known = self.known(key, otherThan: stale) { return known }
                let generation = self.state.withLock { state in
                    state.counter += 1
                    return state.counter
                }
                let fetched = try await fetch(context.shared(until: latest))
                let found = Found(value: fetched.value, generation: generation)
                if !Task.isCancelled { self.keep(found, for: key, fetched.freshFor) }
                return found
            }
            guard let found else { throw .cancelled(at: stage) }
            // Somebody else's fetch may have found what is stale for this caller.
            if found.generation != stale { return found }
        }
    }

    /// The number of the value that is kept for `key`, fresh or not.
    package func generation(of key: Key) -> UInt64? { state.withLock { $0.entries[key]?.found.generation } }

    private func known(_ key: Key, otherThan stale: UInt64?) -> Found? {
        guard let entry = state.withLock({ $0.entries[key] }), entry.found.generation != stale, isFresh(entry) else { return nil }
        return entry.found
    }

    private func isFresh(_ entry: Entry) -> Bool {
        let now = clock.now()
        return entry.obtainedAt <= now && now < entry.freshUntil && ContinuousClock.now < entry.expiry
    }

    private func keep(_ found: Found, for key: Key, _ freshFor: Duration) {
        let seconds = min(freshFor.components.seconds, 366 * 86_400)
        let now = clock.now()
        state.withLock { state in
            // A fetch that nobody waited for may end after the next one.
            if let kept = state.entries[key], kept.found.generation > found.generation { return }
            state.entries[key] = nil
            guard seconds > 0 else { return }
            if state.entries.count >= capacity, let oldest = state.entries.min(by: { $0.value.expiry < $1.value.expiry }) {
                state.entries[oldest.key] = nil
            }
            state.entries[key] = Entry(
                found: found, obtainedAt: now, freshUntil: now + seconds, expiry: ContinuousClock.now.advanced(by: .seconds(seconds)))
        }
    }
}
