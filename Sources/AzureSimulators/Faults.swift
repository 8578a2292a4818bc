internal import Synchronization

/// Something that goes wrong on purpose.
package struct FaultRule: Sendable {
    package enum Effect: Sendable {
        /// The request is not carried out; this is the answer. An empty body becomes the error envelope of the service.
        case status(Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [])
        /// The answer comes late.
        case delay(Duration)
        /// No answer comes for ten minutes, or until the simulators stop.
        case hang
        /// One bit in the middle of the answer's body is flipped.
        case flipBit
        /// The body ends early, with a Content-Length to match.
        case truncate(toBytes: Int)
        /// The body is replaced by what the closure makes of it.
        case replaceBody(@Sendable ([UInt8]) -> [UInt8])
    }

    package var route: SimulatorRoute
    package var effect: Effect
    /// How many requests are affected; `nil` for all of them.
    package var count: Int?

    package init(_ effect: Effect, on route: SimulatorRoute, count: Int? = 1) {
        self.route = route
        self.effect = effect
        self.count = count
    }

    /// 429 with a `Retry-After` in seconds.
    package static func throttle(_ route: SimulatorRoute, retryAfter seconds: Int, count: Int? = 1) -> FaultRule {
        FaultRule(.status(429, headers: [("Retry-After", String(seconds))]), on: route, count: count)
    }
}

/// How many requests of a route one host takes in a time; the next ones are answered with 429 and `Retry-After`.
package struct RateLimit: Sendable {
    package var route: SimulatorRoute
    package var count: Int
    package var window: Duration

    package init(_ route: SimulatorRoute, count: Int, window: Duration) {
        self.route = route
        self.count = count
        self.window = window
    }
}

/// Armed faults and what was asked for so far.
final class FaultBoard: Sendable {
    private struct Counted: Hashable {
        let route: SimulatorRoute
        let host: String
    }

    private struct State {
        var rules: [FaultRule]
        /// When the requests that count were answered.
        var taken: [Counted: [ContinuousClock.Instant]] = [:]
        var requests: [SimulatorRoute: Int] = [:]
    }

    private let state: Mutex<State>
    private let limits: [RateLimit]

    init(_ rules: [FaultRule], limits: [RateLimit] = []) {
        state = Mutex(State(rules: rules))
        self.limits = limits
    }

    func add(_ rule: FaultRule) { state.withLock { $0.rules.append(rule) } }

    func removeAll() { state.withLock { $0.rules.removeAll() } }

    /// Counts a request and takes the first fault that applies to it.
    func take(_ route: SimulatorRoute, host: String = "") -> FaultRule.Effect? {
        state.withLock { state in
            state.requests[route, default: 0] += 1
            if let delay = excess(Counted(route: route, host: host), &state) {
                return .status(429, headers: [("Retry-After", String(delay))])
            }
            guard let index = state.rules.firstIndex(where: { $0.route == route && $0.count ?? 1 > 0 }) else { return nil }
            let effect = state.rules[index].effect
            if let count = state.rules[index].count {
                state.rules[index].count = count - 1
                if count <= 1 { state.rules.remove(at: index) }
            }
            return effect
        }
    }

    /// Seconds until there is room for the request; `nil` where there is now.
    private func excess(_ counted: Counted, _ state: inout State) -> Int64? {
        guard let limit = limits.first(where: { $0.route == counted.route }) else { return nil }
        let now = ContinuousClock.now
        let recent = (state.taken[counted] ?? []).filter { $0.duration(to: now) < limit.window }
        guard recent.count >= limit.count, let first = recent.first else {
            state.taken[counted] = recent + [now]
            return nil
        }
        state.taken[counted] = recent
        let (seconds, attoseconds) = now.duration(to: first.advanced(by: limit.window)).components
        return attoseconds > 0 ? seconds + 1 : seconds
    }

    var requests: [SimulatorRoute: Int] { state.withLock { $0.requests } }
}
