internal import BrokerCore
internal import CoreMetrics
package import HTTPTransport

/// The broker's own figures, each declared here and nowhere else (Metrics.md, "Names").
package struct BrokerMetrics: Sendable {
    package let registry: MetricsRegistry
    /// Names of the key stores in use.
    let stores: [String]

    /// From what a cached answer takes to the default deadline of a request, in seconds.
    static let buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30]

    /// Collects figures of this process as well.
    /// - Parameters:
    ///   - routes: what answers of the REST interface are counted by.
    ///   - methods: what those of the gRPC interface are counted by.
    package init(stores: [String], routes: [String] = [], methods: [String] = []) {
        self.stores = stores
        registry = MetricsRegistry(Self.families(stores, routes, methods) + ProcessFigures.families)
        registry.collect(ProcessFigures.samples)
        // Shown before the first time, so that a rate sees it.
        for purpose in HTTPRequest.Purpose.allCases {
            for state in [UpstreamState.State.throttled, .open] {
                _ = Counter(
                    label: "broker_upstream_held_back", dimensions: [("upstream", purpose.rawValue), ("state", state.rawValue)],
                    factory: registry)
            }
        }
    }

    private static func families(_ stores: [String], _ routes: [String], _ methods: [String]) -> [MetricFamily] {
        let upstream = MetricLabel("upstream", HTTPRequest.Purpose.self)
        return [
            MetricFamily(
                "broker_build", .info,
                [
                    MetricLabel("version", [version]), MetricLabel("evidence", ["hardware", "fixture"]),
                    MetricLabel("sessions", ["on", "off"]),
                ], help: "This program and how it is set up."),
            MetricFamily("broker_ready", .gauge, help: "1 while nothing stands in the way of a release, as last looked at."),
            MetricFamily(
                "broker_requests", .counter,
                [
                    MetricLabel("operation", RequestRecord.Operation.self), MetricLabel("outcome", RequestOutcome.self),
                    MetricLabel("code", BrokerError.Code.self, and: "ok"), MetricLabel("stage", BrokerError.Stage.self, and: "none"),
                    MetricLabel("store", stores + ["none"]),
                ], help: "Releases, attestations and wrappings, each once, by how they ended."),
            MetricFamily(
                "broker_request_duration_seconds", .histogram(buckets), unit: "seconds",
                [MetricLabel("operation", RequestRecord.Operation.self), MetricLabel("outcome", RequestOutcome.self)],
                help: "Time of releases, attestations and wrappings."),
            MetricFamily(
                "broker_stage_duration_seconds", .histogram(buckets), unit: "seconds",
                [MetricLabel("stage", RequestRecord.Timing.self)], help: "Time that requests spent in one stage."),
            MetricFamily(
                "broker_http_answers", .counter, [MetricLabel("route", routes), MetricLabel("status", (200...599).map(String.init))],
                help: "Answers of the REST interface, with those to requests that were refused before anything was done for them."),
            MetricFamily(
                "broker_grpc_answers", .counter,
                [MetricLabel("method", methods), MetricLabel("code", BrokerError.Code.self, and: "ok")],
                help: "Answers of the gRPC interface, with those to callers who may not ask."),
            MetricFamily(
                "broker_released_by", .counter,
                [MetricLabel("session", RequestRecord.SessionUse.self), MetricLabel("shared", ["yes", "no"])],
                help: "Released keys by whose wrapping key it was, and whether the store's answer served others too."),
            MetricFamily(
                "broker_upstream_requests", .counter, [upstream, MetricLabel("result", UpstreamResult.self)],
                help: "Requests that were sent to services, each attempt once, by what came of it."),
            MetricFamily(
                "broker_upstream_request_duration_seconds", .histogram(buckets), unit: "seconds", [upstream],
                help: "Time of one attempt at a request to a service."),
            MetricFamily(
                "broker_upstream_repeats", .counter, [upstream, MetricLabel("result", UpstreamResult.self)],
                help: "Requests that were sent again, by why."),
            MetricFamily(
                "broker_upstream_held_back", .counter, [upstream, MetricLabel("state", UpstreamState.State.self)],
                help: "Requests that were not sent because the service asked for fewer or is down."),
            MetricFamily(
                "broker_upstream_circuits", .gauge, [upstream, MetricLabel("state", UpstreamState.State.self)],
                help: "Services with which something is the matter."),
            MetricFamily(
                "broker_evidence_timestamp_seconds", .gauge, unit: "seconds",
                help: "When the newest report was made, in seconds since 1970."),
            MetricFamily(
                "broker_endorsement_expiry_timestamp_seconds", .gauge, unit: "seconds",
                help: "When the first of the report's certificates expires, in seconds since 1970."),
            MetricFamily(
                "broker_attestation_token_expiry_timestamp_seconds", .gauge, unit: "seconds",
                help: "When the newest attestation token expires, in seconds since 1970."),
            MetricFamily(
                "broker_access_token_expiry_timestamp_seconds", .gauge, unit: "seconds",
                help: "When the newest access token of the broker's own identity expires, in seconds since 1970."),
            MetricFamily(
                "broker_listener_certificate_expiry_timestamp_seconds", .gauge, unit: "seconds",
                help: "When the certificate that callers are shown expires, in seconds since 1970."),
            MetricFamily(
                "broker_audit_lines", .counter, [MetricLabel("result", ["written", "failed"])],
                help: "Lines of the audit."),
            MetricFamily("broker_audit_lines_waiting", .gauge, help: "Lines of the audit that wait to be written."),
            MetricFamily(
                "broker_audit_lag_seconds", .gauge, unit: "seconds", help: "How long the newest lines waited until they were on the disk."),
            MetricFamily("broker_releases_running", .gauge, help: "Releases under way."),
            MetricFamily("broker_releases_waiting", .gauge, help: "Releases that wait for their turn."),
            MetricFamily("broker_release_sessions_open", .gauge, help: "Open release sessions."),
            MetricFamily("broker_shared_releases_running", .gauge, help: "Exchanges with key stores that several callers may share."),
            MetricFamily("broker_shared_releases_waiting", .gauge, help: "Callers who wait for an exchange that has not begun."),
            MetricFamily("broker_wrapping_keys_ready", .gauge, help: "Wrapping keys that were made ahead of time."),
            MetricFamily("broker_wrapping_keys_awaited", .gauge, help: "Releases that wait for a wrapping key."),
            MetricFamily(
                "broker_verifier_disagreements", .counter,
                help: "Evidence that one verifier accepted and another did not: an incident, the log says which claim differs."),
            MetricFamily("broker_log_lines_dropped", .counter, help: "Log lines that could not be written."),
            MetricFamily("broker_spans_dropped", .counter, help: "Spans that could not be exported."),
        ]
    }

    package static let version = "0.1.0"
}

/// What came of one attempt at a request to a service.
package enum UpstreamResult: String, CaseIterable, Sendable {
    case ok = "2xx"
    case redirect = "3xx"
    case refused = "4xx"
    case throttled = "429"
    case failed = "5xx"
    case unreachable, deadline, cancelled, invalid
    case notTrusted = "not_trusted"

    init(_ outcome: UpstreamAttempt.Outcome) {
        switch outcome {
        case .status(429): self = .throttled
        case .status(200..<300): self = .ok
        case .status(300..<400): self = .redirect
        case .status(400..<500): self = .refused
        case .status(500..<600): self = .failed
        case .status: self = .invalid
        case .error(let error):
            switch error {
            case .nameNotResolved, .connectionFailed: self = .unreachable
            case .tlsFailed: self = .notTrusted
            case .deadlineExceeded: self = .deadline
            case .cancelled, .stopped, .heldBack: self = .cancelled
            case .responseTooLarge, .invalidResponse, .invalidRequest: self = .invalid
            }
        }
    }
}

extension BrokerMetrics: UpstreamObserver {
    package func attempted(_ attempt: UpstreamAttempt) {
        let upstream = ("upstream", attempt.purpose.rawValue)
        count("broker_upstream_requests", [upstream, ("result", UpstreamResult(attempt.outcome).rawValue)])
        record(attempt.duration, "broker_upstream_request_duration_seconds", [upstream])
    }

    package func repeating(_ purpose: HTTPRequest.Purpose, after outcome: UpstreamAttempt.Outcome) {
        count("broker_upstream_repeats", [("upstream", purpose.rawValue), ("result", UpstreamResult(outcome).rawValue)])
    }

    package func heldBack(_ purpose: HTTPRequest.Purpose, _ state: UpstreamState.State) {
        count("broker_upstream_held_back", [("upstream", purpose.rawValue), ("state", state.rawValue)])
    }
}

extension BrokerMetrics {
    func count(_ name: String, _ labels: [(String, String)] = []) {
        Counter(label: name, dimensions: labels, factory: registry).increment()
    }

    func record(_ duration: Duration, _ name: String, _ labels: [(String, String)] = []) {
        let (seconds, attoseconds) = duration.components
        Timer(label: name, dimensions: labels, factory: registry).recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    package func set(_ name: String, _ value: Double) { Meter(label: name, factory: registry).set(value) }

    package func answered(route: String, status: Int) { count("broker_http_answers", [("route", route), ("status", "\(status)")]) }

    package func answered(method: String, code: String) { count("broker_grpc_answers", [("method", method), ("code", code)]) }

    package func watch(_ audit: AuditLog) {
        registry.collect {
            let audit = audit.statistics
            return [
                MetricSample("broker_audit_lines", "written", value: Double(audit.linesWritten)),
                MetricSample("broker_audit_lines", "failed", value: Double(audit.linesFailed)),
                MetricSample("broker_audit_lines_waiting", value: Double(audit.waiting)),
                MetricSample("broker_audit_lag_seconds", value: audit.lag / .seconds(1)),
            ]
        }
    }

    /// Services with trouble, counted by what they are for and what is the matter.
    package func watch(_ upstreams: any UpstreamReporting) {
        registry.collect {
            var counts: [String: Int] = [:]
            let states = upstreams.upstreamStates
            for state in states { counts["\(state.purpose.rawValue) \(state.state.rawValue)", default: 0] += 1 }
            return HTTPRequest.Purpose.allCases.flatMap { purpose in
                UpstreamState.State.allCases.map { state in
                    MetricSample(
                        "broker_upstream_circuits", purpose.rawValue, state.rawValue,
                        value: Double(counts["\(purpose.rawValue) \(state.rawValue)"] ?? 0))
                }
            }
        }
    }
}
