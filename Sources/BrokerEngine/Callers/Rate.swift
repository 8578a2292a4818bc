internal import Synchronization

/// How often something may happen: `10/s`, `100/m`, `5000/h`. As many at once, then evenly spread.
package struct Rate: Sendable, Hashable, CustomStringConvertible {
    package let count: Int
    package let period: Duration

    package init(_ count: Int, per period: Duration) {
        self.count = max(count, 1)
        self.period = period
    }

    private static let units: [(name: String, period: Duration)] = [("s", .seconds(1)), ("m", .seconds(60)), ("h", .seconds(3600))]

    /// `nil` where the text has any other form.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Int(parts[0]), (1...1_000_000).contains(count), parts[0] == "\(count)",
            let unit = Self.units.first(where: { $0.name == parts[1] })
        else { return nil }
        self.init(count, per: unit.period)
    }

    package var description: String { "\(count)/\(Self.units.first { $0.period == period }?.name ?? "\(period)")" }
}

/// Counts what callers do against a rate each: a bucket of tokens for each of them.
final class RateLimiter: Sendable {
    struct Holder: Hashable, Sendable {
        /// Which limit: a rule's index, or the limit that holds for all.
        let limit: Int
        /// Whose: the caller's share, or nothing where all have it together.
        let share: String
    }

    private struct Bucket {
        /// When all tokens are there again.
        var full: ContinuousClock.Instant
    }

    /// Most buckets that are kept. Beyond that newcomers have one together: they cannot be told apart any more, and are not let through.
    static let capacity = 4096
    private static let crowd = "*"

    private let buckets = Mutex<[Holder: Bucket]>([:])

    /// Takes a token; where there is none, how long it takes until there is.
    func take(_ rate: Rate, of holder: Holder, now: ContinuousClock.Instant = .now) -> Duration? {
        let interval = rate.period / rate.count
        return buckets.withLock { buckets in
            let key = Self.place(for: holder, in: &buckets, now)
            let full = max(buckets[key]?.full ?? now, now)
            // Each token that is gone puts the moment of fullness off by one interval.
            let excess = now.duration(to: full) + interval - interval * rate.count
            guard excess <= .zero else { return excess }
            buckets[key] = Bucket(full: full.advanced(by: interval))
            return nil
        }
    }

    /// Takes a token also where there is none yet, and says how long it takes until there is: `longest` at most, however many are owed.
    func owe(_ rate: Rate, of holder: Holder, longest: Duration, now: ContinuousClock.Instant = .now) -> Duration {
        let interval = rate.period / rate.count
        return buckets.withLock { buckets in
            let key = Self.place(for: holder, in: &buckets, now)
            let full = min(max(buckets[key]?.full ?? now, now) + interval, now + rate.period + longest)
            buckets[key] = Bucket(full: full)
            return max(.zero, now.duration(to: full) - rate.period)
        }
    }

    func reset() { buckets.withLock { $0 = [:] } }

    private static func place(for holder: Holder, in buckets: inout [Holder: Bucket], _ now: ContinuousClock.Instant) -> Holder {
        guard buckets[holder] == nil, buckets.count >= capacity else { return holder }
        buckets = buckets.filter { $0.value.full > now }
        return buckets.count < capacity ? holder : Holder(limit: holder.limit, share: crowd)
    }
}
