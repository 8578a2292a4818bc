internal import Dispatch

/// Calls back once at a moment, unless it is cancelled or let go first. A cancelled one leaves nothing behind, unlike the timer of a
/// cancelled `Task.sleep`.
public final class DeadlineTimer: @unchecked Sendable {
    // Unchecked because of the source, which Dispatch guards itself.
    private let source: any DispatchSourceTimer

    /// Calls `action`, which must not block, at `instant`; at once where that has passed.
    public init(at instant: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) {
        source = DispatchSource.makeTimerSource(queue: .global())
        let nanoseconds = Deadline(instant).remaining / .nanoseconds(1)
        source.setEventHandler(handler: action)
        // Rounded up by a microsecond, so that the moment has come when it calls.
        source.schedule(deadline: .now() + .nanoseconds(Int(min(nanoseconds, 1e18)) + 1000))
        source.resume()
    }

    /// Takes it back and lets go of its closure. It may be calling at this moment.
    public func cancel() { source.cancel() }
}
