internal import Waiting
internal import BrokerCore
internal import SNPFixture
internal import Synchronization

/// Makes the fixture chip once, on a thread of its own, and lets any number of callers wait for it; it goes on when they leave, for those
/// who come next. A failure is told to those who wait; the next caller tries again.
final class ChipSource: Sendable {
    typealias Outcome = Result<FixtureChip, BrokerError>

    private struct State {
        var chip: FixtureChip?
        var isMaking = false
        var waiting = WaitList<Outcome>()
    }

    private let state = Mutex(State())
    private let make: @Sendable () -> Result<FixtureChip, FixtureError>

    init(_ make: @escaping @Sendable () -> Result<FixtureChip, FixtureError>) { self.make = make }

    /// The chip; waits for it until the calling task is cancelled.
    func value() async throws(BrokerError) -> FixtureChip {
        let (chip, waiter, mustMake) = state.withLock { state -> (FixtureChip?, Waiter<Outcome>, Bool) in
            // A chip that is there is not waited for.
            if let chip = state.chip { return (chip, Waiter(), false) }
            defer { state.isMaking = true }
            return (nil, state.waiting.add(), !state.isMaking)
        }
        if let chip { return chip }
        // Without a thread the caller's has to do.
        if mustMake, !BackgroundThread.start({ self.finish(self.make()) }) { finish(make()) }
        let outcome = await waiter.value { state.withLock { _ = $0.waiting.remove(waiter) } }
        guard let outcome else { throw .cancelled(at: .evidence) }
        return try outcome.get()
    }

    private func finish(_ result: Result<FixtureChip, FixtureError>) {
        state.withLock { state in
            state.isMaking = false
            state.chip = try? result.get()
            state.waiting.giveAll(result.mapError { BrokerError(.evidenceUnavailable, at: .evidence, $0.description) })
        }
    }
}
