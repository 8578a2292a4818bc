package import BrokerCore
internal import BrokerEngine

/// How a request ended, in one word.
package enum RequestOutcome: String, CaseIterable, Sendable {
    case served
    /// Somebody said no: the broker's rules, the verifier, the store or its policy; or there was too much to do.
    case refused
    /// Something did not work.
    case failed
    /// The caller went away.
    case abandoned

    package init(_ error: BrokerError?) {
        guard let error else {
            self = .served
            return
        }
        guard !error.isCancellation else {
            self = .abandoned
            return
        }
        switch error.code {
        case .invalidRequest, .noProvider, .callerRefused, .verificationRejected, .releaseDenied, .keyNotFound, .overloaded: self = .refused
        case .evidenceUnavailable, .endorsementMismatch, .identityFailed, .upstreamUnavailable, .upstreamThrottled, .upstreamInvalid,
            .deadlineExceeded, .unwrapFailed, .auditUnavailable, .misconfigured, .internal:
            self = .failed
        }
    }
}

extension BrokerMetrics: RequestObserver {
    private func set(_ name: String, _ moment: Int64?) { if let moment { set(name, Double(moment)) } }

    package func completed(_ record: RequestRecord) {
        let operation = ("operation", record.operation.rawValue)
        let outcome = ("outcome", RequestOutcome(record.error).rawValue)
        count(
            "broker_requests",
            [
                operation, outcome, ("code", record.code), ("stage", record.error?.stage.rawValue ?? "none"),
                ("store", record.store ?? "none"),
            ])
        if let duration = record.duration { self.record(duration, "broker_request_duration_seconds", [operation, outcome]) }
        for (timing, duration) in record.durations { self.record(duration, "broker_stage_duration_seconds", [("stage", timing.rawValue)]) }
        if let proof = record.proof {
            set("broker_evidence_timestamp_seconds", proof.collectedAt)
            set("broker_endorsement_expiry_timestamp_seconds", proof.certificatesExpireAt)
            set("broker_attestation_token_expiry_timestamp_seconds", proof.tokenExpiresAt)
        }
        if record.error == nil, let session = record.session {
            count("broker_released_by", [("session", session.rawValue), ("shared", record.isShared ? "yes" : "no")])
        }
    }
}
