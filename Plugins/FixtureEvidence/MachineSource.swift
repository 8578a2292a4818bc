internal import Waiting
internal import BrokerCore
internal import SNPFixture
internal import Synchronization

/// What makes evidence: a processor, and what vouches for the utility VM on it.
struct FixtureMachine: Sendable {
    let chip: FixtureChip
    /// COSE_Sign1 documents.
    let platformEndorsements: [[UInt8]]
}

/// Makes the fixture machine once, on a thread of its own, and lets any number of callers wait for it; it goes on when they leave,
/// for those who come next. A failure is told to those who wait; the next caller tries again.
final class MachineSource: Sendable {
    typealias Outcome = Result<FixtureMachine, BrokerError>

    private struct State {
        var machine: FixtureMachine?
        var isMaking = false
        var waiting = WaitList<Outcome>()
    }

    private let state = Mutex(State())
    private let make: @Sendable () -> Result<FixtureMachine, FixtureError>

    init(_ make: @escaping @Sendable () -> Result<FixtureMachine, FixtureError>) { self.make = make }

    /// Starts making the machine, ahead of whoever asks for it first.
    func begin() {
        let mustMake = state.withLock { state in
            guard state.machine == nil else { return false }
            defer { state.isMaking = true }
            return !state.isMaking
        }
        if mustMake { work() }
    }

    /// The machine; waits for it until the calling task is cancelled.
    func value() async throws(BrokerError) -> FixtureMachine {
        let (machine, waiter, mustMake) = state.withLock { state -> (FixtureMachine?, Waiter<Outcome>, Bool) in
            // A machine that is there is not waited for.
            if let machine = state.machine { return (machine, Waiter(), false) }
            defer { state.isMaking = true }
            return (nil, state.waiting.add(), !state.isMaking)
        }
        if let machine { return machine }
        if mustMake { work() }
        let outcome = await waiter.value { state.withLock { $0.waiting.remove(waiter) } }
        guard let outcome else { throw .cancelled(at: .evidence) }
        return try outcome.get()
    }

    private func work() {
        // Without a thread the caller's has to do.
        if !BackgroundThread.start({ self.finish(self.make()) }) { finish(make()) }
    }

    private func finish(_ result: Result<FixtureMachine, FixtureError>) {
        let waiting = state.withLock { state in
            state.isMaking = false
            state.machine = try? result.get()
            return state.waiting.takeAll()
        }
        let outcome = result.mapError { BrokerError(.evidenceUnavailable, at: .evidence, $0.description) }
        for waiter in waiting { waiter.resume(outcome) }
    }
}
