internal import BrokerCore
internal import HTTPTransport
internal import SNPFixture
internal import Synchronization

/// Makes the fixture chip once, on a thread of its own, and lets any number of callers wait for it. A failure is told to those who wait;
/// the next caller tries again.
final class ChipSource: Sendable {
    typealias Outcome = Result<FixtureChip, BrokerError>
    private typealias Waiter = CheckedContinuation<Outcome, Never>

    private struct State {
        var chip: FixtureChip?
        var isMaking = false
        var waiters: [UInt64: Waiter] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state = Mutex(State())
    private let make: @Sendable () -> Result<FixtureChip, FixtureError>

    init(_ make: @escaping @Sendable () -> Result<FixtureChip, FixtureError>) {
        self.make = make
    }

    /// The chip; waits for it until the deadline, or until the calling task is cancelled.
    func value(until deadline: Deadline) async throws(BrokerError) -> FixtureChip {
        let (ready, id) = state.withLock { state in
            state.nextWaiter += 1
            return (state.chip, state.nextWaiter)
        }
        if let ready { return ready }
        let timer = Task {
            do { try await Task.sleep(until: deadline.instant, clock: .continuous) } catch { return }
            giveUp(id, "the fixture authority was not ready in time; its keys take a few seconds to make")
        }
        defer { timer.cancel() }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { wait(id, $0) }
        } onCancel: {
            giveUp(id, "the caller went away")
        }
        return try outcome.get()
    }

    private func wait(_ id: UInt64, _ waiter: Waiter) {
        enum Next { case resume(Outcome), make, wait }
        // Cancellation may have come before there was anything to resume.
        let isCancelled = Task.isCancelled
        let next: Next = state.withLock { state in
            if let chip = state.chip { return .resume(.success(chip)) }
            if isCancelled { return .resume(.failure(late("the caller went away"))) }
            state.waiters[id] = waiter
            if state.isMaking { return .wait }
            state.isMaking = true
            return .make
        }
        switch next {
        case .resume(let outcome): waiter.resume(returning: outcome)
        case .make: PlainThread.detach { [self] in finish(make()) }
        case .wait: break
        }
    }

    private func finish(_ result: Result<FixtureChip, FixtureError>) {
        let waiters = state.withLock { state in
            state.isMaking = false
            state.chip = try? result.get()
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        let outcome = result.mapError { BrokerError(.evidenceUnavailable, at: .evidence, $0.description) }
        for waiter in waiters { waiter.resume(returning: outcome) }
    }

    private func giveUp(_ id: UInt64, _ reason: String) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
        waiter?.resume(returning: .failure(late(reason)))
    }

    private func late(_ reason: String) -> BrokerError {
        BrokerError(.deadlineExceeded, at: .evidence, reason)
    }
}
