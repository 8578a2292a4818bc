import Synchronization
import Testing

@testable import BrokerCore

@Suite("Alarms", .timeLimit(.minutes(1)))
struct AlarmClockTests {
    private final class Rung: Sendable {
        private let numbers = Mutex<[Int]>([])
        var all: [Int] { numbers.withLock { $0 } }
        func add(_ number: Int) { numbers.withLock { $0.append(number) } }
    }

    @Test("ring in the order of their times, not of their setting, and not before")
    func order() async {
        let rung = Rung()
        let start = ContinuousClock.now
        await withCheckedContinuation { continuation in
            for (number, delay) in [(3, 60), (1, 20), (2, 40), (0, -5)] {
                _ = AlarmClock.shared.set(at: start + .milliseconds(delay)) { rung.add(number) }
            }
            _ = AlarmClock.shared.set(at: start + .milliseconds(80)) { continuation.resume() }
        }
        #expect(start.duration(to: .now) >= .milliseconds(80))
        #expect(rung.all == [0, 1, 2, 3])
    }

    @Test("one that was cancelled does not ring, and is gone at once")
    func cancelled() async {
        let rung = Rung()
        // Not the shared one, which other tests use at the same time.
        let clock = AlarmClock()
        let soon = ContinuousClock.now + .milliseconds(30)
        let late = ContinuousClock.now + .seconds(3600)
        let alarms = (0..<10_000).map { number in clock.set(at: late) { rung.add(number) } }
        #expect(clock.count == 10_000)
        for alarm in alarms { alarm.cancel() }
        #expect(clock.count == 0)
        clock.set(at: soon) { rung.add(-1) }.cancel()
        await withCheckedContinuation { continuation in
            _ = clock.set(at: soon + .milliseconds(30)) { continuation.resume() }
        }
        #expect(rung.all.isEmpty)
    }
}
