package import BrokerCore
internal import HTTPTransport
internal import Synchronization

/// Whom the broker serves, and how often: rules and rates of the configuration, which a reload replaces while requests go on.
package final class CallerGate: Sendable {
    package struct Limits: Sendable, Equatable {
        /// Most requests of each caller, and of all callers together; `nil` for no limit.
        package var perCaller: Rate?
        package var total: Rate?

        package init(perCaller: Rate? = nil, total: Rate? = nil) {
            self.perCaller = perCaller
            self.total = total
        }
    }

    private struct State {
        var rules: AccessRules
        var limits: Limits
        var bearers: BearerTokens?
    }

    private static let perCaller = -1
    private static let total = -2
    private static let refusals = -3
    /// As many refusals a caller has at once; the answers to more are spread out.
    static let refusalRate = Rate(200, per: .seconds(1))
    static let longestPause = Duration.seconds(2)

    private let state: Mutex<State>
    private let limiter = RateLimiter()

    package init(rules: AccessRules = AccessRules(), limits: Limits = Limits(), bearers: BearerTokens? = nil) {
        state = Mutex(State(rules: rules, limits: limits, bearers: bearers))
    }

    package var rules: AccessRules { state.withLock { $0.rules } }
    var bearers: BearerTokens? { state.withLock { $0.bearers } }

    /// From now on these count.
    package func replace(rules: AccessRules, limits: Limits, bearers: BearerTokens? = nil) {
        state.withLock { $0 = State(rules: rules, limits: limits, bearers: bearers) }
        limiter.reset()
    }

    /// Why the caller may not even ask; `nil` where it may. For a front end, before it reads a body.
    package func refusal(of caller: Caller, _ operation: RequestRecord.Operation) -> BrokerError? {
        guard caller.way != .broker, !rules.mayAsk(caller, operation) else { return nil }
        return Self.refused(caller, operation.words)
    }

    /// Lets the request of this record through or throws: `callerRefused`, or `overloaded` where it comes too often.
    func admit(_ record: RequestRecord) throws(BrokerError) {
        // Commands of the operator, and the broker's own look at itself.
        guard record.caller.way != .broker else { return }
        let (rules, limits) = state.withLock { ($0.rules, $0.limits) }
        let verdict = rules.verdict(AccessQuestion(record))
        guard verdict.isAllowed else {
            let what = record.operation.words + (record.key.map { " \($0)" } ?? "")
            if case .decided(let index, _) = verdict {
                throw BrokerError(.callerRefused, at: .caller, "\(rules.name(index)) does not let \(record.caller) \(what)")
            }
            throw Self.refused(record.caller, what)
        }
        if case .decided(let index, _) = verdict, let rate = rules.rules[index].rate {
            try take(rate, .init(limit: index, share: record.caller.share), "\(rules.name(index)) lets a caller ask \(rate)")
        }
        if let rate = limits.perCaller {
            try take(rate, .init(limit: Self.perCaller, share: record.caller.share), "callers.rate lets a caller ask \(rate)")
        }
        if let rate = limits.total {
            try take(rate, .init(limit: Self.total, share: ""), "callers.total-rate lets all callers ask \(rate)")
        }
    }

    /// How long the next answer that refuses this caller something is held back, so that whoever asks again at once, on hundreds of
    /// connections, leaves the processor to the others.
    package func pause(beforeRefusing caller: Caller, now: ContinuousClock.Instant = .now) -> Duration {
        guard caller.way != .broker else { return .zero }
        return limiter.owe(
            Self.refusalRate, of: .init(limit: Self.refusals, share: caller.share), longest: Self.longestPause, now: now)
    }

    private static func refused(_ caller: Caller, _ what: String) -> BrokerError {
        BrokerError(.callerRefused, at: .caller, "no rule of callers.rules lets \(caller) \(what)")
    }

    private func take(_ rate: Rate, _ holder: RateLimiter.Holder, _ words: String) throws(BrokerError) {
        guard let wait = limiter.take(rate, of: holder) else { return }
        throw BrokerError(.overloaded, at: .caller, "\(words); come back later", retryAfter: wait)
    }
}

extension RequestRecord.Operation {
    /// As the end of "lets somebody …".
    var words: String {
        switch self {
        case .release: "release a key"
        case .attestToken: "have data attested"
        case .attestCombined: "get evidence"
        case .attestVerdict: "get a verdict"
        case .attestRaw: "get a report"
        case .wrapKey: "wrap to a key"
        }
    }
}

extension AccessQuestion {
    init(_ record: RequestRecord) {
        self.init(
            caller: record.caller, operation: record.operation, key: record.key, store: record.store,
            endpoint: record.storeEndpoint?.host)
    }
}
