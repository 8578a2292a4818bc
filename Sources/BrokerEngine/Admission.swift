internal import Waiting
internal import BrokerCore
internal import Synchronization

/// Bounds how many releases run at a time. The next ones wait in the order in which they came, up to a bound; the rest are turned away at
/// once.
///
/// A caller that waits holds nothing but its request, so a long queue costs time and little else; too many releases at a time would cost
/// every one of them its deadline.
final class Admission: Sendable {
    private struct State {
        var running = 0
        var queue = WaitList<Void>()
        var lastRefusal: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let running: Int
    private let waiting: Int
    private let memory: Duration

    /// At most `running` at a time, and at most `waiting` behind them. `memory` is how long the admission counts as turning callers away
    /// after it did.
    init(running: Int, waiting: Int, memory: Duration) {
        self.running = max(running, 1)
        self.waiting = max(waiting, 0)
        self.memory = memory
    }

    /// How many run and how many wait now.
    var load: (running: Int, waiting: Int) { state.withLock { ($0.running, $0.queue.count) } }

    /// Whether somebody was turned away just now.
    var isTurningAway: Bool {
        guard let last = state.withLock({ $0.lastRefusal }) else { return false }
        return last.duration(to: .now) < memory
    }

    /// Runs `work` when it is its turn.
    func admitted<Value: ~Copyable>(_ work: () async throws(BrokerError) -> Value) async throws(BrokerError) -> Value {
        try await enter()
        defer { leave() }
        return try await work()
    }

    private func enter() async throws(BrokerError) {
        let waiter = try state.withLock { state throws(BrokerError) -> Waiter<Void>? in
            if state.running < running, state.queue.isEmpty {
                state.running += 1
                return nil
            }
            guard state.queue.count < waiting else {
                state.lastRefusal = .now
                throw BrokerError(
                    .overloaded, at: .route, "the broker works on \(running) releases and \(waiting) more wait; come back later",
                    retryAfter: .seconds(1))
            }
            return state.queue.add()
        }
        guard let waiter else { return }
        // Whoever is not in the queue any more has been admitted and leaves by itself.
        guard await waiter.value(onCancel: { state.withLock { $0.queue.remove(waiter) } }) != nil else {
            throw .cancelled(at: .route)
        }
    }

    private func leave() {
        let next = state.withLock { state in
            let next = state.queue.takeFirst()
            if next == nil { state.running -= 1 }
            return next
        }
        next?.resume(())
    }
}
