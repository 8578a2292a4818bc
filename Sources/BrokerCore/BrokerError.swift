internal import PlainText

/// What went wrong, in the one form that crosses every protocol of the broker.
public struct BrokerError: Error, Sendable {
    /// The closed set of outcomes. An enum on purpose: each front end maps it with an exhaustive `switch`.
    public enum Code: String, Sendable, CaseIterable {
        /// The body or a field of the request is malformed.
        case invalidRequest
        /// No configured provider answers for the endpoint that the request names.
        case noProvider
        /// The device is missing or the firmware refused.
        case evidenceUnavailable
        /// Report and certificates disagree about the TCB, also after a refresh.
        case endorsementMismatch
        /// The verifier says no.
        case verificationRejected
        /// There is no access token for the key store.
        case identityFailed
        /// The key store says no: policy, permission, firewall.
        case releaseDenied
        /// The key store has no such key.
        case keyNotFound
        /// Network failure, time-out or 5xx of a service.
        case upstreamUnavailable
        /// A service asks for fewer requests.
        case upstreamThrottled
        /// A service's answer fails verification or parsing.
        case upstreamInvalid
        /// The request's deadline passed.
        case deadlineExceeded
        /// The broker has more to do than it can, or this caller asks more often than it may; nothing was asked of anybody.
        case overloaded
        /// No rule of the configuration lets this caller ask for this.
        case callerRefused
        /// The audit line could not be written, so nothing was handed out.
        case auditUnavailable
        /// The wrapped key does not open.
        case unwrapFailed
        /// The configuration cannot work. Start-up only.
        case misconfigured
        /// A bug here.
        case `internal`
    }

    /// Where in a request it happened; also the name of the span and the field in every log line.
    public enum Stage: String, Sendable, CaseIterable {
        case startup, decode, caller, route, evidence, endorsement, verify, identity, release, unwrap, audit
    }

    /// An error answer of a service, kept for the caller who has to understand it.
    public struct Upstream: Sendable, Equatable {
        /// HTTP status, for example 403.
        public let status: Int
        /// The service's own error text: bounded, printable, with anything that looks like a token removed.
        public let body: String

        /// Keeps at most 2 KiB of `body`; control characters become spaces and JWT-like runs are replaced.
        public init(status: Int, body: [UInt8]) {
            self.status = status
            self.body = UpstreamText.sanitized(body)
        }
    }

    public let code: Code
    public let stage: Stage
    /// One or two sentences that are safe to show a caller: what happened and, where there is one, the next step. Never a token or a key.
    public let message: String
    /// How long the service asked to wait.
    public let retryAfter: Duration?
    /// The service's answer, where one caused this.
    public let upstream: Upstream?
    /// For logs only.
    public let cause: (any Error & Sendable)?
    /// Why the service said no and what to do, where the broker could find out.
    public let details: Details?

    public init(
        _ code: Code, at stage: Stage, _ message: String, retryAfter: Duration? = nil, upstream: Upstream? = nil,
        cause: (any Error & Sendable)? = nil, details: Details? = nil
    ) {
        self.code = code
        self.stage = stage
        self.message = message
        self.retryAfter = retryAfter
        self.upstream = upstream
        self.cause = cause
        self.details = details
    }

    /// The same error with an explanation.
    public func explained(by details: Details?) -> BrokerError {
        BrokerError(code, at: stage, message, retryAfter: retryAfter, upstream: upstream, cause: cause, details: details)
    }

    /// Whether the same request may succeed later without anybody changing anything.
    public var isRetryable: Bool {
        switch code {
        case .upstreamUnavailable, .upstreamThrottled, .deadlineExceeded, .endorsementMismatch, .overloaded, .auditUnavailable: true
        case .evidenceUnavailable, .identityFailed: retryAfter != nil
        case .invalidRequest, .noProvider, .verificationRejected, .releaseDenied, .keyNotFound, .upstreamInvalid, .unwrapFailed,
            .callerRefused, .misconfigured, .internal:
            false
        }
    }
}

extension BrokerError: CustomStringConvertible { public var description: String { "\(code.rawValue) at \(stage.rawValue): \(message)" } }
