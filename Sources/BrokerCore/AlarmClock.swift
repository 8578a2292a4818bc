internal import Glibc
internal import Synchronization

/// Calls back at moments that hardly ever come: the deadlines of requests.
///
/// A `Task.sleep` that is cancelled leaves its timer with the system until its time has come, which for a request's deadline is half a minute. Here a cancelled alarm
/// lets go of its closure at once, and setting one costs neither a task nor, as a rule, a system call.
public final class AlarmClock: Sendable {
    /// An alarm that was set.
    public struct Alarm: Sendable {
        fileprivate let clock: AlarmClock
        fileprivate let number: UInt64

        /// Takes it back. It may be ringing at this moment.
        public func cancel() { clock.state.withLock { $0.cancel(number) } }
    }

    private struct Entry {
        let instant: ContinuousClock.Instant
        let number: UInt64
    }

    private struct State {
        /// A binary heap, the earliest first. Entries of cancelled alarms stay until they come up or outnumber the others.
        var heap: [Entry] = []
        var actions: [UInt64: @Sendable () -> Void] = [:]
        var counter: UInt64 = 0
        /// When the thread looks again; `nil` where it waits to be woken.
        var wakeAt: ContinuousClock.Instant?
        var isRunning = false

        mutating func cancel(_ number: UInt64) {
            actions[number] = nil
            guard heap.count > 256, heap.count > 4 * actions.count else { return }
            let live = heap.filter { actions[$0.number] != nil }
            heap.removeAll(keepingCapacity: false)
            for entry in live { push(entry) }
        }

        mutating func push(_ entry: Entry) {
            heap.append(entry)
            var child = heap.count - 1
            while child > 0, heap[child].instant < heap[(child - 1) / 2].instant {
                heap.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
        }

        mutating func pop() -> Entry? {
            guard let first = heap.first, let last = heap.popLast() else { return nil }
            guard !heap.isEmpty else { return first }
            heap[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < heap.count && heap[child].instant < heap[least].instant { least = child }
                guard least != parent else { return first }
                heap.swapAt(parent, least)
                parent = least
            }
        }

        /// What rings at `now`; cancelled entries at the front are dropped on the way.
        mutating func due(_ now: ContinuousClock.Instant) -> [@Sendable () -> Void] {
            var due: [@Sendable () -> Void] = []
            while let first = heap.first, first.instant <= now || actions[first.number] == nil {
                if let entry = pop(), let action = actions.removeValue(forKey: entry.number) { due.append(action) }
            }
            wakeAt = heap.first?.instant
            return due
        }
    }

    /// The one of the process.
    public static let shared = AlarmClock()

    private let state = Mutex(State())
    /// Written to when the thread has to look earlier than it meant to.
    private let wake: (read: Int32, write: Int32)

    init() {
        var ends: [Int32] = [-1, -1]
        _ = pipe(&ends)
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        wake = (ends[0], ends[1])
    }

    /// How many alarms are set.
    var count: Int { state.withLock { $0.actions.count } }

    /// Calls `action` at `instant`, on a thread of the clock, which it must not hold up. At once where the instant has passed.
    public func set(at instant: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) -> Alarm {
        let (number, mustStart, mustWake) = state.withLock { state in
            state.counter += 1
            state.actions[state.counter] = action
            state.push(Entry(instant: instant, number: state.counter))
            let mustStart = !state.isRunning
            state.isRunning = true
            let mustWake = state.wakeAt.map { instant < $0 } ?? true
            if mustWake { state.wakeAt = instant }
            return (state.counter, mustStart, mustWake)
        }
        if mustStart, !BackgroundThread.start({ [self] in ring() }) {
            // Without a thread the task pays for it; the next alarm tries again.
            state.withLock { $0.isRunning = false }
            Task {
                try? await Task.sleep(until: instant, clock: .continuous)
                self.state.withLock { $0.actions.removeValue(forKey: number) }?()
            }
        } else if mustWake {
            // A pipe that is full wakes as well.
            _ = write(wake.write, [1], 1)
        }
        return Alarm(clock: self, number: number)
    }

    private func ring() {
        while true {
            let (due, next) = state.withLock { state in (state.due(.now), state.wakeAt) }
            for action in due { action() }
            guard due.isEmpty else { continue }
            var milliseconds: Int32 = -1
            if let next {
                let (seconds, attoseconds) = ContinuousClock.now.duration(to: next).components
                // Rounded up, so that the alarm's time has come when poll returns.
                milliseconds = Int32(clamping: max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1))
            }
            // Without a pipe (no descriptors left) nobody can wake the thread, so it looks by itself.
            if wake.read < 0 { milliseconds = milliseconds < 0 ? 50 : min(milliseconds, 50) }
            var descriptor = pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, milliseconds) > 0 {
                var bytes: (UInt64, UInt64) = (0, 0)
                _ = read(wake.read, &bytes, 16)
            }
        }
    }
}
