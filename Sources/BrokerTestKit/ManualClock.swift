public import BrokerCore
internal import Synchronization

/// A time of day that moves only when a test moves it.
public final class ManualClock: WallClock {
    private let time: Mutex<Int64>

    /// Starts at `seconds` since 1970; without an argument at 2026-01-01T00:00:00Z.
    public init(_ seconds: Int64 = 1_767_225_600) { time = Mutex(seconds) }

    public func now() -> Int64 { time.withLock { $0 } }

    /// Moves the time, also backwards.
    public func advance(by seconds: Int64) { time.withLock { $0 += seconds } }

    /// Sets the time, in seconds since 1970.
    public func set(_ seconds: Int64) { time.withLock { $0 = seconds } }
}
