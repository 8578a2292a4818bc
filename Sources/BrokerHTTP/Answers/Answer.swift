internal import BrokerConfiguration
internal import BrokerCore
internal import StrictJSON

/// An answer and what the log says about it.
struct Answer: Sendable {
    var reply: Reply
    let requestID: String
    /// `ok`, or the code of the error.
    var code = "ok"
    var stage: BrokerError.Stage?
    /// Safe to show, as in `BrokerError.message`.
    var message: String?
    /// Why a service said no; safe to show.
    var details: BrokerError.Details?
    /// For the log at debug level only.
    var cause: (any Error & Sendable)?
    /// Whether the engine has told its observers about the request, the log among them.
    var isRecorded = false
}

/// Writes error answers: one JSON document with the original's `error` string first.
package struct ErrorAnswers: Sendable {
    let profile: ResponseProfile

    func answer(_ refusal: Refusal, requestID: String) -> Answer {
        let text = profile == .compatible ? refusal.compatibleText : refusal.message
        var reply = document(
            status: refusal.status, text: text, code: .invalidRequest, stage: .decode, isRetryable: refusal.isRetryable,
            requestID: requestID)
        if refusal == .tooManyBodies { reply.headers.append(("Retry-After", "1")) }
        return Answer(
            reply: reply, requestID: requestID, code: BrokerError.Code.invalidRequest.rawValue, stage: .decode, message: refusal.message)
    }

    func answer(_ error: BrokerError, to question: CompatibleText.Question, requestID: String) -> Answer {
        let status: Int
        let text: String
        switch profile {
        case .compatible:
            status = error.code.compatibleStatus
            text = CompatibleText.text(for: error, to: question)
        case .precise:
            status = error.code.preciseStatus
            text = error.message
        }
        var reply = document(
            status: status, text: text, code: error.code, stage: error.stage, isRetryable: error.isRetryable, requestID: requestID,
            details: error.details)
        if let delay = error.retryAfter { reply.headers.append(("Retry-After", String(Self.wholeSeconds(delay)))) }
        return Answer(
            reply: reply, requestID: requestID, code: error.code.rawValue, stage: error.stage, message: error.message,
            details: error.details, cause: error.cause)
    }

    private func document(
        status: Int, text: String, code: BrokerError.Code, stage: BrokerError.Stage, isRetryable: Bool, requestID: String,
        details: BrokerError.Details? = nil
    ) -> Reply {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("error")
        writer.string(text)
        writer.key("code")
        writer.string(code.rawValue)
        writer.key("stage")
        writer.string(stage.rawValue)
        writer.key("retryable")
        writer.boolean(isRetryable)
        writer.key("request_id")
        writer.string(requestID)
        if let details {
            writer.key("details")
            writer.value(DetailsDocument.json(details))
        }
        writer.endObject()
        return .json(status, writer.bytes)
    }

    /// Rounded up: a caller that comes back after this long is not early.
    package static func wholeSeconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return max(0, attoseconds > 0 ? seconds + 1 : seconds)
    }
}

extension BrokerError.Code {
    /// What the original answers: it knows a bad request, and 403 for whatever goes wrong afterwards (OriginalSidecar.md, "Answers").
    var compatibleStatus: Int {
        switch self {
        case .invalidRequest: 400
        case .noProvider, .evidenceUnavailable, .endorsementMismatch, .verificationRejected, .identityFailed, .releaseDenied, .keyNotFound,
            .upstreamUnavailable, .upstreamThrottled, .upstreamInvalid, .deadlineExceeded, .unwrapFailed:
            403
        // The original has no such case. A caller that retries on 429 is helped; one that does not sees a failure either way.
        case .overloaded: 429
        case .callerRefused: 403
        // Nor this one. Any failure keeps the key back; this one says that it is the broker's and may pass.
        case .auditUnavailable: 503
        case .misconfigured, .internal: 500
        }
    }

    /// One status for each code.
    var preciseStatus: Int {
        switch self {
        case .invalidRequest: 400
        case .noProvider: 422
        case .verificationRejected, .releaseDenied, .callerRefused: 403
        case .keyNotFound: 404
        case .upstreamThrottled, .overloaded: 429
        case .identityFailed, .upstreamInvalid, .unwrapFailed: 502
        case .evidenceUnavailable, .endorsementMismatch, .upstreamUnavailable, .auditUnavailable: 503
        case .deadlineExceeded: 504
        case .misconfigured, .internal: 500
        }
    }
}
