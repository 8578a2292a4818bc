internal import Waiting
internal import BrokerCore
internal import Synchronization

/// One at a time, in the order of arrival.
final class Turn: Sendable {
    private struct State {
        /// Since when somebody has it.
        var holder: ContinuousClock.Instant?
        var queue = WaitList<Void>()
    }

    private let state = Mutex(State())

    /// Waits for the turn; `leave` passes it on. Whoever throws does not have it.
    func enter(path: String) async throws(BrokerError) {
        let waiter = state.withLock { state -> Waiter<Void>? in
            guard state.holder == nil else { return state.queue.add() }
            state.holder = .now
            return nil
        }
        guard let waiter else { return }
        if await waiter.value(onCancel: { state.withLock { $0.queue.remove(waiter) } }) != nil { return }
        let held = state.withLock { $0.holder }.map { $0.duration(to: .now) } ?? .zero
        throw BrokerError(
            .deadlineExceeded, at: .evidence,
            "\(path) is still busy with an earlier request, for \(held.components.seconds) s now; requests to the firmware go one by one")
    }

    func leave() {
        let next = state.withLock { state in
            let next = state.queue.takeFirst()
            state.holder = next == nil ? nil : .now
            return next
        }
        next?.resume(())
    }
}
