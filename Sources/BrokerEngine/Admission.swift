internal import Waiting
internal import BrokerCore
internal import HTTPTransport
internal import Synchronization

/// Bounds how many releases run at a time. The next ones wait in the order in which they came, up to a bound; the rest are turned away at
/// once.
///
/// A caller that waits holds nothing but its request, so a long queue costs time and little else; too many releases at a time would cost
/// every one of them its deadline.
final class Admission: Sendable {
    private struct Waiter {
        let ticket: UInt64
        let admitted: FirstResult<Void>
    }

    private struct State {
        var running = 0
        /// In the order of arrival. `head` is the first that waits, so that taking one costs nothing.
        var queue: [Waiter] = []
        var head = 0
        var counter: UInt64 = 0
        var lastRefusal: ContinuousClock.Instant?

        var waiting: Int { queue.count - head }

        /// Whether one more may run at once, of `limit`.
        func canRun(_ limit: Int) -> Bool { running < limit && waiting == 0 }

        mutating func next() -> Waiter? {
            guard head < queue.count else { return nil }
            defer {
                head += 1
                if head == queue.count {
                    queue.removeAll(keepingCapacity: true)
                    head = 0
                } else if head >= 256 {
                    queue.removeFirst(head)
                    head = 0
                }
            }
            return queue[head]
        }

        mutating func remove(_ ticket: UInt64) -> Bool {
            guard let index = queue[head...].firstIndex(where: { $0.ticket == ticket }) else { return false }
            queue.remove(at: index)
            return true
        }
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
    var load: (running: Int, waiting: Int) { state.withLock { ($0.running, $0.waiting) } }

    /// Whether somebody was turned away just now.
    var isTurningAway: Bool {
        guard let last = state.withLock({ $0.lastRefusal }) else { return false }
        return last.duration(to: .now) < memory
    }

    private var full: BrokerError {
        BrokerError(
            .overloaded, at: .route, "the broker works on \(running) releases and \(waiting) more wait; come back later",
            retryAfter: .seconds(1))
    }

    /// Runs `work` when it is its turn.
    func admitted<Value: ~Copyable>(in context: RequestContext, _ work: () async throws(BrokerError) -> Value) async throws(BrokerError)
        -> Value
    {
        try await enter(context)
        defer { leave() }
        return try await work()
    }

    private func enter(_ context: RequestContext) async throws(BrokerError) {
        enum Decision {
            case go
            case wait(Waiter)
            case full
        }
        let decision: Decision = state.withLock { state in
            if state.canRun(running) {
                state.running += 1
                return .go
            }
            guard state.waiting < waiting else {
                state.lastRefusal = .now
                return .full
            }
            state.counter += 1
            let waiter = Waiter(ticket: state.counter, admitted: FirstResult())
            state.queue.append(waiter)
            return .wait(waiter)
        }
        switch decision {
        case .go: return
        case .full: throw full
        case .wait(let waiter): try await wait(waiter, context)
        }
    }

    private func wait(_ waiter: Waiter, _ context: RequestContext) async throws(BrokerError) {
        try await waiter.admitted.result(
            by: context.deadline,
            late: BrokerError(
                .overloaded, at: .route, "the request's deadline passed while it waited for its turn", retryAfter: .seconds(1)),
            gone: BrokerError(.deadlineExceeded, at: .route, "the caller went away")
        ) { error in self.giveUp(waiter, error) }
    }

    /// Whoever is not in the queue any more has been admitted and will leave by itself.
    private func giveUp(_ waiter: Waiter, _ error: BrokerError) {
        let isWaiting = state.withLock { $0.remove(waiter.ticket) }
        if isWaiting { waiter.admitted.finish(.failure(error)) }
    }

    private func leave() {
        let next = state.withLock { state in
            guard let next = state.next() else {
                state.running -= 1
                return nil as Waiter?
            }
            return next
        }
        next?.admitted.finish(.success(()))
    }
}
