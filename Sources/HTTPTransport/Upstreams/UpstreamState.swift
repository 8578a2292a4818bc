/// A service with which something is the matter, for `/readyz` and metrics.
package struct UpstreamState: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        /// The last request to it failed.
        case failing
        /// It asked for fewer requests; nobody asks before the time is over.
        case throttled
        /// It failed so often that nobody is asked for a while.
        case open
        /// The pause is over and one request finds out.
        case probing
    }

    package let target: HTTPRequest.Target
    package let purpose: HTTPRequest.Purpose
    package let state: State
    package let reason: String?
    package let retryAfter: Duration?

    package init(target: HTTPRequest.Target, purpose: HTTPRequest.Purpose, state: State, reason: String?, retryAfter: Duration?) {
        self.target = target
        self.purpose = purpose
        self.state = state
        self.reason = reason
        self.retryAfter = retryAfter
    }

    /// `contoso.managedhsm.azure.net`, `169.254.169.254:80`.
    package var name: String { target.description }
}

/// Can say which services have trouble.
package protocol UpstreamReporting: Sendable {
    /// Every service with which something is the matter, by name.
    var upstreamStates: [UpstreamState] { get }

    /// What is the matter with that one.
    func upstreamState(of target: HTTPRequest.Target) -> UpstreamState?
}

extension HTTPTransport {
    /// Whether requests to that service failed just now, so that what is remembered of it counts for little. Unknown to most transports.
    package func isFailing(_ endpoint: Endpoint) -> Bool {
        switch (self as? any UpstreamReporting)?.upstreamState(of: .service(endpoint))?.state {
        case .failing, .open, .probing: true
        case .throttled, nil: false
        }
    }
}

/// Is told what became of outbound requests: how metrics and traces learn of them.
package protocol UpstreamObserver: Sendable {
    /// One attempt ended.
    func attempted(_ attempt: UpstreamAttempt)

    /// A request is sent again after `pause`.
    func repeating(_ purpose: HTTPRequest.Purpose, after result: UpstreamAttempt.Outcome)

    /// A request was not sent, because the service asked for fewer or has failed.
    func heldBack(_ purpose: HTTPRequest.Purpose, _ state: UpstreamState.State)
}

/// One request on the wire and its end.
package struct UpstreamAttempt: Sendable {
    package enum Outcome: Sendable, Equatable {
        case status(Int)
        case error(HTTPTransportError)
    }

    package let purpose: HTTPRequest.Purpose
    package let method: HTTPRequest.Method
    package let target: HTTPRequest.Target
    package let outcome: Outcome
    package let duration: Duration
    /// The span that the service was told of, and the one above it.
    package let trace: TraceContext?
    package let parent: TraceContext?
}
