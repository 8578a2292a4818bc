internal import Waiting
internal import BrokerCore
internal import Synchronization

/// Bounds how many releases run at a time. The next ones wait in the order in which they came, up to a bound; the rest are turned away at
/// once. Both are shared out by caller: a quarter more run for those who have little running, the next turn is that of the caller who was
/// served longest ago, and where all places are taken, the caller with most of them gives one up.
///
/// A caller that waits holds nothing but its request, so a long queue costs time and little else; too many releases at a time would cost
/// every one of them its deadline.
final class Admission: Sendable {
    private struct State {
        var running = 0
        var runningOf: [String: Int] = [:]
        /// The value is whether it is admitted.
        var queue = WaitList<Bool>()
        var lastRefusal: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let running: Int
    private let reserve: Int
    private let waiting: Int
    private let memory: Duration

    /// At most `running` at a time, and at most `waiting` behind them. `memory` is how long the admission counts as turning callers away
    /// after it did.
    init(running: Int, waiting: Int, memory: Duration) {
        self.running = max(running, 1)
        self.reserve = max(running / 4, 1)
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

    /// Runs `work` when it is the turn of the caller with this `share`.
    func admitted<Value: ~Copyable>(
        _ share: String = "", _ work: () async throws(BrokerError) -> Value
    ) async throws(BrokerError) -> Value {
        try await enter(share)
        defer { leave(share) }
        return try await work()
    }

    private func enter(_ share: String) async throws(BrokerError) {
        let (waiter, displaced) = try state.withLock { state throws(BrokerError) -> (Waiter<Bool>?, Waiter<Bool>?) in
            if mayRun(share, state.running, state.runningOf), state.queue.count(of: share) == 0 {
                begin(share, &state)
                return (nil, nil)
            }
            guard state.queue.count >= waiting else { return (state.queue.add(share), nil) }
            state.lastRefusal = .now
            guard let displaced = state.queue.takeLast(ifMoreThan: state.queue.count(of: share) + 1) else { throw overloaded }
            return (state.queue.add(share), displaced)
        }
        displaced?.resume(false)
        guard let waiter else { return }
        // Whoever is not in the queue any more has been admitted and leaves by itself.
        switch await waiter.value(onCancel: { state.withLock { $0.queue.remove(waiter) } }) {
        case true?: return
        case false?: throw overloaded
        case nil: throw .cancelled(at: .route)
        }
    }

    private func leave(_ share: String) {
        let next = state.withLock { state in
            state.running -= 1
            let left = (state.runningOf[share] ?? 1) - 1
            state.runningOf[share] = left > 0 ? left : nil
            var next: [Waiter<Bool>] = []
            while true {
                let (total, runningOf) = (state.running, state.runningOf)
                guard let turn = state.queue.takeFirst(where: { mayRun($0, total, runningOf) }) else { return next }
                begin(turn.share, &state)
                next.append(turn.waiter)
            }
        }
        for waiter in next { waiter.resume(true) }
    }

    private func mayRun(_ share: String, _ total: Int, _ runningOf: [String: Int]) -> Bool {
        total < running || total < running + reserve && (runningOf[share] ?? 0) < reserve
    }

    private func begin(_ share: String, _ state: inout State) {
        state.running += 1
        state.runningOf[share, default: 0] += 1
    }

    private var overloaded: BrokerError {
        BrokerError(
            .overloaded, at: .route, "the broker works on \(running) releases and \(waiting) more wait; come back later",
            retryAfter: .seconds(1))
    }
}
