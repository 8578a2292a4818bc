internal import BrokerCore
internal import GRPCCore
internal import GRPCProtobuf

/// Errors as gRPC has them: a code, the message, and google.rpc.ErrorInfo with the broker's own words (KeyProvider.md, "Errors").
enum GRPCAnswer {
    static let domain = "attestation-broker"

    static func error(_ error: BrokerError, requestID: String) -> GoogleRPCStatus {
        var words = [
            "code": error.code.rawValue, "stage": error.stage.rawValue, "retryable": error.isRetryable ? "true" : "false",
            "request_id": requestID,
        ]
        if let details = error.details {
            words["cause"] = details.cause
            words["summary"] = details.summary
            for (index, step) in details.nextSteps.prefix(4).enumerated() { words["next_step_\(index + 1)"] = step }
        }
        var details = [ErrorDetails.errorInfo(reason: error.code.rawValue, domain: domain, metadata: words)]
        if let delay = error.retryAfter { details.append(.retryInfo(delay: delay)) }
        // A status line is a header field: what a service said at length stays in the log.
        return GoogleRPCStatus(code: error.code.rpcCode, message: String(error.message.prefix(1000)), details: details)
    }
}

extension BrokerError.Code {
    /// One code for each.
    var rpcCode: RPCError.Code {
        switch self {
        case .invalidRequest: .invalidArgument
        case .noProvider, .evidenceUnavailable: .failedPrecondition
        case .verificationRejected, .releaseDenied, .callerRefused: .permissionDenied
        case .keyNotFound: .notFound
        case .identityFailed: .unauthenticated
        case .endorsementMismatch, .upstreamUnavailable, .auditUnavailable: .unavailable
        case .upstreamThrottled, .overloaded: .resourceExhausted
        case .deadlineExceeded: .deadlineExceeded
        case .upstreamInvalid, .unwrapFailed, .misconfigured, .internal: .internalError
        }
    }
}
