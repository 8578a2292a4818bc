internal import BrokerCore
internal import NIOHTTP1

/// The `error` strings of the original sidecar, without the help text that it put into the middle of each.
///
/// Its callers look for these words, so the parts that name a step are kept and the part behind them is the upstream's body, as there, or
/// the broker's own
/// message. Source: OriginalSidecar.md, "Answers".
enum CompatibleText {
    /// What was asked, as far as it shows in an error text.
    enum Question: Sendable, Equatable {
        case evidence
        case token(namesAuthority: Bool)
        case release(KeyName)
        /// Nobody knows: the caller may not ask.
        case unread
    }

    static func text(for error: BrokerError, to question: Question) -> String {
        switch (question, error.code) {
        case (.token(namesAuthority: false), .invalidRequest) where error.stage == .route:
            return Refusal.missing(.maaAttest, .maaEndpoint).compatibleText
        case (.unread, _): return error.message
        case (_, .invalidRequest): return "invalid request format: \(error.message)"
        case (.evidence, _), (.token, _): return "attestation failed: \(attestation(error))"
        case (.release(let key), _): return "secure key release failed: \(release(error, of: key))"
        }
    }

    /// From evidence to token.
    private static func attestation(_ error: BrokerError) -> String {
        switch error.stage {
        case .evidence: "failed to retrieve attestation report: \(reason(error))"
        case .endorsement: "refreshing CertChain failed: \(reason(error))"
        case .verify:
            "Retrieving MAA token from MAA endpoint failed: "
                + step(error, answered: "pulling maa post response failed", unanswered: "maa post request failed")
        case .startup, .decode, .caller, .route, .identity, .release, .unwrap, .audit: error.message
        }
    }

    private static func release(_ error: BrokerError, of key: KeyName) -> String {
        switch error.stage {
        case .evidence, .endorsement, .verify: "attestation failed: \(attestation(error))"
        case .identity: "retrieving authentication token failed: \(reason(error))"
        case .release:
            "releasing the key \(key) failed: "
                + step(
                    error, answered: "pulling AKV response body failed", unanswered: "AKV post request failed",
                    unbelieved: "jws token verification failed")
        case .unwrap: "releasing the key \(key) failed: aes key unwrap failed: \(reason(error))"
        case .startup, .decode, .caller, .route, .audit: error.message
        }
    }

    /// One call to a service: it said no, it could not be reached, or what it said is not believed.
    private static func step(_ error: BrokerError, answered: String, unanswered: String, unbelieved: String? = nil) -> String {
        if error.upstream != nil { return "\(answered): \(reason(error))" }
        switch error.code {
        case .upstreamUnavailable, .upstreamThrottled, .deadlineExceeded: return "\(unanswered): HTTP GET failed: \(error.message)"
        case .upstreamInvalid: return unbelieved.map { "\($0): \(error.message)" } ?? error.message
        case .invalidRequest, .noProvider, .evidenceUnavailable, .endorsementMismatch, .verificationRejected, .identityFailed,
            .releaseDenied, .keyNotFound, .unwrapFailed, .overloaded, .callerRefused, .auditUnavailable,
            .misconfigured, .internal:
            return error.message
        }
    }

    private static func reason(_ error: BrokerError) -> String {
        guard let upstream = error.upstream else { return error.message }
        let phrase = HTTPResponseStatus(statusCode: upstream.status).reasonPhrase
        return "\(upstream.body): http response status equal to \(upstream.status) \(phrase)"
    }
}
