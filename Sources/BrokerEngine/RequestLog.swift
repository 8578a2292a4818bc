package import BrokerCore
package import Logging

/// One line for each attestation and release: who got what from whom, how long each stage took, and why not where it failed.
package struct RequestLog: RequestObserver {
    private let logger: Logger

    package init(_ logger: Logger) { self.logger = logger }

    package func completed(_ record: RequestRecord) {
        logger.log(level: Self.level(of: record), "\(Self.message(record))", metadata: Self.fields(of: record))
    }

    private static func message(_ record: RequestRecord) -> String {
        let (done, failed) =
            switch record.operation {
            case .release: ("key released", "release failed")
            case .wrapKey: ("wrapped", "wrapping failed")
            case .attestToken, .attestCombined, .attestRaw, .attestVerdict: ("attested", "attestation failed")
            }
        return record.error == nil ? done : failed
    }

    /// What somebody else has to change is a warning; what is wrong here, or may be an attack, an error.
    static func level(of record: RequestRecord) -> Logger.Level {
        guard let error = record.error else { return .info }
        // A caller that went away is no fault of anybody's.
        guard !error.isCancellation else { return .notice }
        switch error.code {
        case .invalidRequest, .noProvider, .callerRefused, .verificationRejected, .releaseDenied, .keyNotFound, .upstreamUnavailable,
            .upstreamThrottled, .deadlineExceeded, .overloaded:
            return .warning
        case .evidenceUnavailable, .endorsementMismatch, .identityFailed, .upstreamInvalid, .unwrapFailed, .auditUnavailable,
            .misconfigured, .internal:
            return .error
        }
    }

    static func fields(of record: RequestRecord) -> Logger.Metadata {
        var fields: Logger.Metadata = [
            "request_id": "\(record.requestID)", "operation": "\(record.operation.rawValue)", "caller": "\(record.caller)",
            "code": "\(record.code)",
        ]
        func add(_ name: String, _ value: (any CustomStringConvertible)?) { if let value { fields[name] = "\(value)" } }
        add("trace_id", record.traceID)
        add("route", record.route.isEmpty ? nil : record.route)
        add("key", record.releasedKeyID ?? record.key?.description)
        add("store", record.store)
        add("endpoint", record.storeEndpoint)
        add("authority", record.authority)
        add("session", record.session?.rawValue)
        if record.isShared { fields["shared"] = "true" }
        add("tcb", record.proof?.tcb)
        add("duration_ms", record.duration.map(milliseconds))
        for (timing, duration) in record.durations { add("\(timing.rawValue)_ms", milliseconds(duration)) }
        if let error = record.error {
            add("stage", error.stage.rawValue)
            add("retryable", error.isRetryable)
            add("error", oneLine(error.message))
            add("cause", error.details?.cause)
            add("explanation", (error.details?.summary).map(oneLine))
            add("next", oneLine(error.details?.nextSteps.first ?? error.code.nextStep))
            add("upstream_status", error.upstream?.status)
        }
        return fields
    }

    /// With two digits behind the point: a session's stages take less than one millisecond.
    private static func milliseconds(_ duration: Duration) -> String {
        let hundredths = Int64(duration / .microseconds(10))
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    static func oneLine(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.prefix(500).map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}

extension BrokerError.Code {
    /// What an operator does about it where nothing more is known.
    var nextStep: String {
        switch self {
        case .invalidRequest: "correct the request; samples/openapi.json describes it"
        case .noProvider: "add the endpoint to the configuration if it is meant"
        case .evidenceUnavailable: "run 'attestation-broker doctor': it looks at the device and its permissions"
        case .endorsementMismatch: "run 'attestation-broker doctor': the certificates may be those of an earlier firmware"
        case .verificationRejected: "run 'attestation-broker evidence verify' and compare with the authority's policy"
        case .identityFailed: "run 'attestation-broker doctor': it asks for an access token as the broker does"
        case .releaseDenied: "run 'attestation-broker policy explain' for this key"
        case .keyNotFound: "run 'attestation-broker key list' for this store"
        case .upstreamUnavailable: "see whether the service can be reached from here; the broker asks again with the next request"
        case .upstreamThrottled: "ask less often, or let release sessions live longer"
        case .upstreamInvalid: "see whether something between the broker and the service changes answers"
        case .deadlineExceeded: "see which stage took long; server.request-timeout bounds all of them together"
        case .overloaded: "ask again later; server.release-limit and callers.rules bound what is done at a time"
        case .callerRefused: "run 'attestation-broker callers explain' with this caller and key"
        case .auditUnavailable: "repair what audit.file names; nothing is released until its lines can be written"
        case .unwrapFailed: "report this with the key's type: the store's answer does not open"
        case .misconfigured: "run 'attestation-broker config check'"
        case .internal: "report this with the log around it"
        }
    }
}
