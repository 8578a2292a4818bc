internal import Logging
internal import Waiting
internal import BrokerCore
internal import HTTPTransport

/// Waits for a while, or until the task is cancelled. Injected, so that a test of a schedule takes no time.
package typealias Sleeper = @Sendable (Duration) async -> Void

/// How one attempt ended.
enum Attempt<Value: Sendable>: Sendable {
    case done(Value)
    /// Trying again cannot help.
    case failed(BrokerError)
    /// Worth another try after the schedule's next delay, and not before the service allows it.
    case again(BrokerError, RetrySchedule, notBefore: Duration? = nil)
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

/// Repeats `attempt` on the schedule that its last failure asks for, inside the flight's deadline. A delay that would reach past the
/// deadline is not begun: the caller gets the last error, which says more than a time-out, with that delay as its hint.
func retrying<Value: Sendable>(until deadline: FlightDeadline, sleep: Sleeper, late: BrokerError, attempt: (Int) async -> Attempt<Value>)
    async throws(BrokerError) -> Value
{
    var count = 0
    while true {
        if Task.isCancelled || deadline.current.hasPassed { throw late }
        switch await attempt(count) {
        case .done(let value): return value
        case .failed(let error): throw error
        case .again(let error, let schedule, let notBefore):
            guard count < schedule.delays.count else { throw error.withHint(notBefore) }
            let delay = max(schedule.delays[count], notBefore ?? .zero)
            guard delay < deadline.current.remaining else { throw error.withHint(delay) }
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
    /// The service in words.
    var asked: String { get }
    var sleep: Sleeper { get }
    func attempt(_ audience: String, _ deadline: Deadline) async -> Attempt<AcquiredToken>
}

extension RetryingIssuer {
    func acquire(audience: String, until deadline: FlightDeadline, logger: Logger) async throws(BrokerError) -> AcquiredToken {
        let late = BrokerError(.deadlineExceeded, at: .identity, "\(asked) gave no token for \(audience) in time")
        return try await retrying(until: deadline, sleep: sleep, late: late) { count in
            let attempt = await attempt(audience, deadline.current)
            if case .again(let error, _, _) = attempt {
                logger.debug("access token not available yet", metadata: ["attempt": "\(count + 1)", "reason": "\(error.message)"])
            }
            return attempt
        }
    }
}
