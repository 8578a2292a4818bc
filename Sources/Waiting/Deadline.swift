/// The moment at which somebody stops waiting. One is set per request; no stage has a later one of its own.
public struct Deadline: Sendable, Hashable {
    /// The moment on the monotonic clock.
    public let instant: ContinuousClock.Instant

    public init(_ instant: ContinuousClock.Instant) { self.instant = instant }

    /// A deadline that far from now.
    public static func after(_ duration: Duration) -> Deadline { Deadline(ContinuousClock.now.advanced(by: duration)) }

    /// Time left, zero when the moment has passed.
    public var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: instant)) }

    /// Whether the moment has passed.
    public var hasPassed: Bool { remaining == .zero }

    /// The earlier of this deadline and one that far from now.
    public func capped(at duration: Duration) -> Deadline { Deadline(min(instant, ContinuousClock.now.advanced(by: duration))) }
}
