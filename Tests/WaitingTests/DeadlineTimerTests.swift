import Testing
import Waiting

@Suite("Deadlines", .timeLimit(.minutes(1))) struct DeadlineTimerTests {
    @Test("a timer calls at its time and not before", arguments: [-5, 0, 20]) func rings(delay: Int) async {
        let instant = ContinuousClock.now + .milliseconds(delay)
        var timer: DeadlineTimer?
        await withCheckedContinuation { continuation in timer = DeadlineTimer(at: instant) { continuation.resume() } }
        timer?.cancel()
        #expect(ContinuousClock.now >= instant)
    }

    @Test("a timer that is taken back lets go of its closure") func cancelled() async throws {
        final class Held: Sendable {}
        var held: Held? = Held()
        weak let watched = held
        let timer = DeadlineTimer(at: .now + .seconds(3600)) { [held] in _ = held }
        held = nil
        #expect(watched != nil)
        timer.cancel()
        while watched != nil { await Task.yield() }
    }
}
