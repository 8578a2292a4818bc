public import Waiting
internal import HTTPTransport
internal import Synchronization

/// Keeps fetched values while they are fresh, and fetches each key once however many callers want it at the same time.
///
/// Failures are not kept. A fetch serves everybody who waits for it and runs until the latest of their deadlines; a caller whose own
/// deadline passes, or who is cancelled, leaves alone, and the fetch is cancelled when nobody waits any more.
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

    private final class Flight: Sendable {
        let deadline = FlightDeadline()
        let task = Mutex<Task<Void, Never>?>(nil)
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var flights: [Key: (flight: Flight, waiters: [UInt64: FirstResult<Found>])] = [:]
        var counter: UInt64 = 0

        mutating func next() -> UInt64 {
            counter += 1
            return counter
        }
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let clock: any WallClock

    /// Keeps at most `capacity` values; the one that expires first makes room.
    public init(capacity: Int, clock: any WallClock) {
        self.capacity = max(capacity, 1)
        self.clock = clock
    }

    /// The cached value, or the one that `fetch` brings. `stale` names a generation that must not be answered with again.
    ///
    /// `late` is what a caller gets whose deadline passes or whose task is cancelled.
    public func value(
        for key: Key, until deadline: Deadline, otherThan stale: UInt64? = nil, late: BrokerError,
        fetch: @escaping @Sendable (FlightDeadline) async throws(BrokerError) -> Fetched
    ) async throws(BrokerError) -> Found {
        let waiter = FirstResult<Found>()
        let ticket = state.withLock { state -> UInt64? in
            if let entry = state.entries[key], entry.found.generation != stale, isFresh(entry) {
                waiter.finish(.success(entry.found))
                return nil
            }
            let ticket = state.next()
            if let current = state.flights[key] {
                current.flight.deadline.extend(to: deadline)
                state.flights[key]?.waiters[ticket] = waiter
                return ticket
            }
            let flight = Flight()
            flight.deadline.extend(to: deadline)
            state.flights[key] = (flight, [ticket: waiter])
            let task = Task {
                let result: Result<Fetched, BrokerError>
                do throws(BrokerError) { result = .success(try await fetch(flight.deadline)) } catch { result = .failure(error) }
                self.land(flight, key, result)
            }
            flight.task.withLock { $0 = task }
            return ticket
        }
        guard let ticket else { return try await waiter.result().get() }
        let timer = DeadlineTimer(at: deadline.instant) { self.leave(key, ticket, late) }
        defer { timer.cancel() }
        let result = await withTaskCancellationHandler {
            await waiter.result()
        } onCancel: {
            self.leave(key, ticket, late)
        }
        return try result.get()
    }

    private func isFresh(_ entry: Entry) -> Bool {
        let now = clock.now()
        return entry.obtainedAt <= now && now < entry.freshUntil && ContinuousClock.now < entry.expiry
    }

    private func land(_ flight: Flight, _ key: Key, _ result: Result<Fetched, BrokerError>) {
        let delivery: ([FirstResult<Found>], Result<Found, BrokerError>)? = state.withLock { state in
            guard let current = state.flights[key], current.flight === flight else { return nil }
            state.flights[key] = nil
            let waiters = Array(current.waiters.values)
            switch result {
            case .failure(let error): return (waiters, .failure(error))
            case .success(let fetched):
                let found = Found(value: fetched.value, generation: state.next())
                keep(found, for: key, fetched.freshFor, in: &state)
                return (waiters, .success(found))
            }
        }
        guard let (waiters, outcome) = delivery else { return }
        for waiter in waiters { waiter.finish(outcome) }
    }

    private func keep(_ found: Found, for key: Key, _ freshFor: Duration, in state: inout State) {
        let seconds = freshFor.components.seconds
        guard seconds > 0 else {
            state.entries[key] = nil
            return
        }
        let now = clock.now()
        let bounded = min(seconds, 366 * 86_400)
        if state.entries[key] == nil, state.entries.count >= capacity,
            let oldest = state.entries.min(by: { $0.value.expiry < $1.value.expiry })
        {
            state.entries[oldest.key] = nil
        }
        state.entries[key] = Entry(
            found: found, obtainedAt: now, freshUntil: now + bounded, expiry: ContinuousClock.now.advanced(by: .seconds(bounded)))
    }

    private func leave(_ key: Key, _ ticket: UInt64, _ error: BrokerError) {
        let left: (FirstResult<Found>, Flight?)? = state.withLock { state in
            guard let waiter = state.flights[key]?.waiters.removeValue(forKey: ticket) else { return nil }
            guard let current = state.flights[key], current.waiters.isEmpty else { return (waiter, nil) }
            state.flights[key] = nil
            return (waiter, current.flight)
        }
        guard let (waiter, abandoned) = left else { return }
        abandoned?.task.withLock { $0?.cancel() }
        waiter.finish(.failure(error))
    }
}

/// Until when a fetch is worth continuing: the latest deadline of those who wait for it.
public final class FlightDeadline: Sendable {
    private let latest = Mutex<Deadline?>(nil)

    init() {}

    /// The deadline as it is now; it may move later while the fetch runs.
    public var current: Deadline { latest.withLock { $0 } ?? .after(.zero) }

    func extend(to deadline: Deadline) {
        latest.withLock { latest in
            guard let known = latest else {
                latest = deadline
                return
            }
            if known.instant < deadline.instant { latest = deadline }
        }
    }
}
