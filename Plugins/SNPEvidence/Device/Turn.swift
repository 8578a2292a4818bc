internal import Waiting
internal import BrokerCore
internal import HTTPTransport
internal import Synchronization

/// One at a time, in the order of arrival.
final class Turn: Sendable {
    private struct State {
        var holder: ContinuousClock.Instant?
        var queue: [(ticket: UInt64, admitted: FirstResult<Void>)] = []
        var counter: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Waits for the turn; `leave` passes it on. Whoever throws does not have it.
    func enter(until deadline: Deadline, path: String) async throws(BrokerError) {
        let admitted = FirstResult<Void>()
        let ticket = state.withLock { state -> UInt64? in
            guard state.holder != nil else {
                state.holder = .now
                return nil
            }
            state.counter += 1
            state.queue.append((state.counter, admitted))
            return state.counter
        }
        guard let ticket else { return }
        let timer = DeadlineTimer(at: deadline.instant) { self.giveUp(ticket, path) }
        defer { timer.cancel() }
        let result = await withTaskCancellationHandler {
            await admitted.result()
        } onCancel: {
            self.giveUp(ticket, path)
        }
        try result.get()
    }

    func leave() {
        let next = state.withLock { state in
            let next = state.queue.isEmpty ? nil : state.queue.removeFirst().admitted
            state.holder = next == nil ? nil : .now
            return next
        }
        next?.finish(.success(()))
    }

    private func giveUp(_ ticket: UInt64, _ path: String) {
        let left: (FirstResult<Void>, Duration)? = state.withLock { state in
            guard let index = state.queue.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            let held = state.holder.map { $0.duration(to: .now) } ?? .zero
            return (state.queue.remove(at: index).admitted, held)
        }
        guard let (waiter, held) = left else { return }
        waiter.finish(
            .failure(
                BrokerError(
                    .deadlineExceeded, at: .evidence,
                    "\(path) is still busy with an earlier request, for \(held.components.seconds) s now; requests to the firmware go "
                        + "one by one"
                )))
    }
}
