internal import Synchronization

/// Does the same work once for all who want it at the same time.
///
/// The work serves everybody who waits for it, is told the latest deadline of theirs, and is cancelled when nobody waits any more. Whoever
/// is cancelled leaves alone.
package final class SingleFlight<Key: Hashable & Sendable, Value: Sendable, Failure: Error>: Sendable {
    /// A deadline that may move later while somebody works towards it.
    package typealias MovingDeadline = @Sendable () -> Deadline

    private struct Flight {
        let number: UInt64
        var waiting = WaitList<Result<Value, Failure>>()
        var deadlines: [ObjectIdentifier: MovingDeadline] = [:]
        var task: Task<Void, Never>?
    }

    private struct State {
        var flights: [Key: Flight] = [:]
        var counter: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// How many wait for the work of all keys that satisfy `condition`.
    package func waitingCount(where condition: (Key) -> Bool = { _ in true }) -> Int {
        state.withLock { state in state.flights.reduce(0) { $0 + (condition($1.key) ? $1.value.waiting.count : 0) } }
    }

    /// What `work` brings, or the work for `key` that is under way; `nil` when the calling task is cancelled first.
    ///
    /// `deadline` says until when this caller waits. A failure that `isOwn` calls the first caller's own, as the end of its time, is told
    /// to that one; the others try again.
    package func value(
        for key: Key, until deadline: @escaping MovingDeadline, isOwn: @Sendable (Failure) -> Bool = { _ in false },
        work: @escaping @Sendable (_ latest: @escaping MovingDeadline) async throws(Failure) -> Value
    ) async throws(Failure) -> Value? {
        while true {
            let (waiter, number, isFirst) = join(key, deadline, work)
            let outcome = await waiter.value { self.leave(key, number, waiter) }
            switch outcome {
            case .success(let value)?: return value
            case .failure(let failure)? where isFirst || !isOwn(failure): throw failure
            case .failure?: continue
            case nil: return nil
            }
        }
    }

    private func join(
        _ key: Key, _ deadline: @escaping MovingDeadline,
        _ work: @escaping @Sendable (_ latest: @escaping MovingDeadline) async throws(Failure) -> Value
    ) -> (Waiter<Result<Value, Failure>>, UInt64, isFirst: Bool) {
        state.withLock { state in
            let isFirst = state.flights[key] == nil
            if isFirst { state.counter += 1 }
            var flight = state.flights[key] ?? Flight(number: state.counter)
            let number = flight.number
            let waiter = flight.waiting.add()
            flight.deadlines[ObjectIdentifier(waiter)] = deadline
            if isFirst {
                flight.task = Task {
                    let outcome: Result<Value, Failure>
                    do throws(Failure) { outcome = .success(try await work { self.latest(key, number) }) } catch {
                        outcome = .failure(error)
                    }
                    self.land(key, number, outcome)
                }
            }
            state.flights[key] = flight
            return (waiter, number, isFirst)
        }
    }

    /// The latest deadline of those who wait; one that has passed where nobody does.
    private func latest(_ key: Key, _ number: UInt64) -> Deadline {
        let deadlines = state.withLock { state in
            state.flights[key].flatMap { $0.number == number ? Array($0.deadlines.values) : nil } ?? []
        }
        return deadlines.map { $0() }.max { $0.instant < $1.instant } ?? .after(.zero)
    }

    private func land(_ key: Key, _ number: UInt64, _ outcome: Result<Value, Failure>) {
        let waiting = state.withLock { state -> [Waiter<Result<Value, Failure>>] in
            guard state.flights[key]?.number == number, var flight = state.flights.removeValue(forKey: key) else { return [] }
            return flight.waiting.takeAll()
        }
        for waiter in waiting { waiter.resume(outcome) }
    }

    /// Whether the waiter was still there.
    private func leave(_ key: Key, _ number: UInt64, _ waiter: Waiter<Result<Value, Failure>>) -> Bool {
        let (hasLeft, abandoned) = state.withLock { state -> (Bool, Task<Void, Never>?) in
            guard var flight = state.flights[key], flight.number == number, flight.waiting.remove(waiter) else { return (false, nil) }
            flight.deadlines[ObjectIdentifier(waiter)] = nil
            state.flights[key] = flight.waiting.isEmpty ? nil : flight
            return (true, flight.waiting.isEmpty ? flight.task : nil)
        }
        abandoned?.cancel()
        return hasLeft
    }
}
