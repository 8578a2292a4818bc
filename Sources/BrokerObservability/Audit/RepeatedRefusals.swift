internal import Synchronization

/// Bounds the lines about requests that were turned away before anything was done: a caller who may not ask must not fill the disk, which
/// would keep everybody from their keys. The first ten of a second have lines; the next line says how many before it have none.
final class RepeatedRefusals: Sendable {
    private struct Window {
        var begin: ContinuousClock.Instant
        var lines = 0
        var omitted = 0
    }

    static let linesPerSecond = 10
    /// Callers that are told apart.
    private static let capacity = 1024

    private let windows = Mutex<[String: Window]>([:])

    /// How many were left out since the last line of this caller; `nil` where this one is left out too.
    func note(_ share: String, now: ContinuousClock.Instant = .now) -> Int? {
        windows.withLock { windows in
            if windows[share] == nil, windows.count >= Self.capacity {
                windows = windows.filter { $0.value.omitted > 0 || $0.value.begin.duration(to: now) < .seconds(1) }
            }
            let name = windows[share] != nil || windows.count < Self.capacity ? share : "*"
            var window = windows[name] ?? Window(begin: now)
            defer { windows[name] = window }
            if window.begin.duration(to: now) >= .seconds(1) { (window.begin, window.lines) = (now, 0) }
            guard window.lines < Self.linesPerSecond else {
                window.omitted += 1
                return nil
            }
            window.lines += 1
            defer { window.omitted = 0 }
            return window.omitted
        }
    }
}
