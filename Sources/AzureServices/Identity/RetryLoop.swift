internal import Logging
internal import Waiting
internal import BrokerCore

/// Waits for a while, or until the task is cancelled. Injected, so that a test of a schedule takes no time.
package typealias Sleeper = @Sendable (Duration) async -> Void

/// How one attempt ended.
enum Attempt<Value: Sendable>: Sendable {
    case done(Value)
    /// Trying again cannot help.
    case failed(BrokerError)
    /// Worth another try after the schedule's next delay, and not before the service allows it.
    case again(BrokerError, RetrySchedule, notBefore: Duration? = nil)

    /// What a refusal means for the next attempt: overload and failure of a service pass, everything else stays.
    static func refused(_ error: BrokerError, _ schedule: RetrySchedule) -> Attempt {
        switch error.code {
        case .upstreamThrottled, .upstreamUnavailable: .again(error, schedule, notBefore: error.retryAfter)
        default: .failed(error)
        }
    }
}

/// Delays before the second, third, … attempt.
struct RetrySchedule: Sendable, Equatable {
    let delays: [Duration]

    /// 404, 408, 429, 5xx and time-outs (ManagedIdentity.md, "Errors and retries": five attempts at 0, about 2, 6, 14 and 30 s; after a 500
    /// at least 1 s).
    static let transient = RetrySchedule(delays: [.seconds(2), .seconds(4), .seconds(8), .seconds(16)])
    /// 410: the metadata service is being updated, which may take 70 s (ManagedIdentity.md, "Errors and retries": 75 s in all).
    static let updating = RetrySchedule(delays: [.zero, .seconds(5), .seconds(10), .seconds(20), .seconds(40)])
    /// Nobody listens. A container may start before its metadata service does; a laptop has none and should say so soon.
    static let unreachable = RetrySchedule(delays: [.seconds(1), .seconds(4)])
    /// The token endpoint of Entra ID, which is a replicated service.
    static let tokenEndpoint = RetrySchedule(delays: [.seconds(1), .seconds(2), .seconds(4)])
}

/// Repeats `attempt` on the schedule that its last failure asks for, inside the context's deadline. A delay that would reach past the
/// deadline is not begun: the caller gets the last error, which says more than a time-out, with that delay as its hint.
func retrying<Value: Sendable>(in context: RequestContext, sleep: Sleeper, attempt: (Int) async -> Attempt<Value>)
    async throws(BrokerError) -> Value
{
    var count = 0
    while true {
        if Task.isCancelled || context.deadline.hasPassed { throw .cancelled(at: .identity) }
        switch await attempt(count) {
        case .done(let value): return value
        case .failed(let error): throw error
        case .again(let error, let schedule, let notBefore):
            guard count < schedule.delays.count else { throw error.withHint(notBefore) }
            let delay = max(schedule.delays[count], notBefore ?? .zero)
            guard delay < context.deadline.remaining else { throw error.withHint(delay) }
            if delay > .zero { await sleep(delay) }
            count += 1
        }
    }
}

extension BrokerError {
    /// The same error with a hint when to come back, unless it has one.
    fileprivate func withHint(_ hint: Duration?) -> BrokerError {
        BrokerError(code, at: stage, message, retryAfter: retryAfter ?? hint, upstream: upstream, cause: cause, details: details)
    }
}

/// An issuer that asks one service, again where that may help.
protocol RetryingIssuer: TokenIssuer {
    var sleep: Sleeper { get }
    func attempt(_ audience: String, _ deadline: Deadline) async -> Attempt<AcquiredToken>
}

extension RetryingIssuer {
    func acquire(audience: String, in context: RequestContext) async throws(BrokerError) -> AcquiredToken {
        try await retrying(in: context, sleep: sleep) { count in
            let attempt = await attempt(audience, context.deadline)
            if case .again(let error, _, _) = attempt {
                context.logger.debug(
                    "access token not available yet", metadata: ["attempt": "\(count + 1)", "reason": "\(error.message)"])
            }
            return attempt
        }
    }
}
