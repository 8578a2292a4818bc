internal import Waiting
internal import BrokerCore
internal import HTTPTransport
internal import SNPFixture
internal import Synchronization

/// Makes the fixture chip once, on a thread of its own, and lets any number of callers wait for it. A failure is told to those who wait;
/// the next caller tries again.
final class ChipSource: Sendable {
    typealias Outcome = Result<FixtureChip, BrokerError>
    private typealias Waiter = CheckedContinuation<Outcome, Never>

    /// Where a call stands. Giving up may come before there is anything to resume.
    private enum Call {
        case starting
        case waiting(Waiter)
        case givenUp(String)
    }

    private struct State {
        var chip: FixtureChip?
        var isMaking = false
        var calls: [UInt64: Call] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())
    private let make: @Sendable () -> Result<FixtureChip, FixtureError>

    init(_ make: @escaping @Sendable () -> Result<FixtureChip, FixtureError>) { self.make = make }

    /// The chip; waits for it until the deadline, or until the calling task is cancelled.
    func value(until deadline: Deadline) async throws(BrokerError) -> FixtureChip {
        let (ready, id) = state.withLock { state in
            state.nextID += 1
            if state.chip == nil { state.calls[state.nextID] = .starting }
            return (state.chip, state.nextID)
        }
        if let ready { return ready }
        let timer = DeadlineTimer(at: deadline.instant) {
            self.giveUp(id, "the fixture authority was not ready in time; its keys take a few seconds to make")
        }
        defer {
            timer.cancel()
            state.withLock { $0.calls[id] = nil }
        }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { wait(id, $0) }
        } onCancel: {
            giveUp(id, "the caller went away")
        }
        return try outcome.get()
    }

    private func wait(_ id: UInt64, _ waiter: Waiter) {
        enum Next { case resume(Outcome), make, wait }
        let next: Next = state.withLock { state in
            if let chip = state.chip { return .resume(.success(chip)) }
            if case .givenUp(let reason)? = state.calls[id] { return .resume(.failure(Self.late(reason))) }
            state.calls[id] = .waiting(waiter)
            if state.isMaking { return .wait }
            state.isMaking = true
            return .make
        }
        switch next {
        case .resume(let outcome): waiter.resume(returning: outcome)
        case .make: if !BackgroundThread.start({ [self] in finish(make()) }) { finish(make()) }
        case .wait: break
        }
    }

    private func finish(_ result: Result<FixtureChip, FixtureError>) {
        let waiters = state.withLock { state in
            state.isMaking = false
            state.chip = try? result.get()
            var waiters: [Waiter] = []
            for (id, call) in state.calls {
                guard case .waiting(let waiter) = call else { continue }
                waiters.append(waiter)
                state.calls[id] = nil
            }
            return waiters
        }
        let outcome = result.mapError { BrokerError(.evidenceUnavailable, at: .evidence, $0.description) }
        for waiter in waiters { waiter.resume(returning: outcome) }
    }

    private func giveUp(_ id: UInt64, _ reason: String) {
        let waiter: Waiter? = state.withLock { state in
            switch state.calls[id] {
            case .starting?:
                state.calls[id] = .givenUp(reason)
                return nil
            case .waiting(let waiter)?:
                state.calls[id] = .givenUp(reason)
                return waiter
            case .givenUp?, nil: return nil
            }
        }
        waiter?.resume(returning: .failure(Self.late(reason)))
    }

    private static func late(_ reason: String) -> BrokerError { BrokerError(.deadlineExceeded, at: .evidence, reason) }
}
