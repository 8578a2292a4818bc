package import HTTPTransport
package import Logging
internal import PlainText
internal import StrictJSON
internal import Synchronization
internal import Waiting

/// Sends spans to a collector, OTLP over HTTP in JSON (Metrics.md, "Traces"). Requests never wait for it: a span goes into a bounded
/// queue, and is dropped and counted where that is full or the collector does not take it.
package final class SpanExporter: Sendable {
    private struct State {
        var spans: [TraceSpan] = []
        var dropped = 0
        var isUnreachable = false
    }

    static let capacity = 2048
    private static let batch = 512
    private static let interval = Duration.milliseconds(500)

    private let endpoint: OTLPEndpoint
    private let transport: any HTTPTransport
    private let version: String
    private let logger: Logger
    private let state = Mutex(State())

    /// `transport` is not the one whose requests become spans.
    package init(_ endpoint: OTLPEndpoint, transport: any HTTPTransport, version: String, logger: Logger) {
        self.endpoint = endpoint
        self.transport = transport
        self.version = version
        self.logger = logger
    }

    package var droppedSpans: Int { state.withLock { $0.dropped } }

    package func add(_ span: TraceSpan) {
        guard span.context.isSampled else { return }
        state.withLock { state in
            if state.spans.count < Self.capacity { state.spans.append(span) } else { state.dropped += 1 }
        }
    }

    /// Sends until the task is cancelled, and then what is left. The collector gets two seconds for each batch.
    package func run() async {
        repeat {
            try? await Task.sleep(for: Self.interval)
            // A task of its own: the end of this one must not cut off what is being sent.
            await Task { while await self.exportBatch(.after(.seconds(2))) {} }.value
        } while !Task.isCancelled
    }

    /// Whether there was a whole batch, so that there may be another.
    private func exportBatch(_ deadline: Deadline) async -> Bool {
        let spans = state.withLock { state in
            let batch = Array(state.spans.prefix(Self.batch))
            state.spans.removeFirst(batch.count)
            return batch
        }
        guard !spans.isEmpty else { return false }
        let request = HTTPRequest(
            .post, endpoint.target, path: endpoint.path, headers: [("Content-Type", "application/json")],
            body: document(spans).serialized(), deadline: deadline)
        let reason: String?
        do throws(HTTPTransportError) {
            let response = try await transport.send(request)
            reason = (200..<300).contains(response.status) ? nil : "it answered \(response.status)"
        } catch { reason = error.description }
        note(reason, spans.count)
        return reason == nil && spans.count == Self.batch
    }

    /// One line when it begins to fail and one when it works again.
    private func note(_ reason: String?, _ count: Int) {
        let wasUnreachable = state.withLock { state in
            defer { state.isUnreachable = reason != nil }
            if reason != nil { state.dropped += count }
            return state.isUnreachable
        }
        if let reason, !wasUnreachable {
            logger.warning("spans are lost: the collector of trace.otlp-endpoint does not take them", metadata: ["reason": "\(reason)"])
        } else if reason == nil, wasUnreachable {
            logger.notice("the collector of trace.otlp-endpoint takes spans again")
        }
    }

    private func document(_ spans: [TraceSpan]) -> JSONValue {
        let resource: JSONValue = [
            "attributes": [TraceSpan.attribute("service.name", "attestation-broker"), TraceSpan.attribute("service.version", version)]
        ]
        let scope: JSONValue = ["scope": ["name": "attestation-broker"], "spans": .array(spans.map(\.json))]
        return ["resourceSpans": [["resource": resource, "scopeSpans": [scope]]]]
    }
}

extension SpanExporter: UpstreamObserver {
    package func attempted(_ attempt: UpstreamAttempt) {
        guard let trace = attempt.trace, trace.isSampled else { return }
        var attributes = [("http.request.method", attempt.method.rawValue), ("peer.service", attempt.purpose.rawValue)]
        var failure: String?
        switch attempt.outcome {
        case .status(let status):
            attributes.append(("http.response.status_code", String(status)))
            if status >= 400 { failure = "HTTP \(status)" }
        case .error:
            failure = UpstreamResult(attempt.outcome).rawValue
            attributes.append(("error.type", failure ?? ""))
        }
        add(
            TraceSpan(
                trace, parentSpanID: attempt.parent?.spanID, name: "\(attempt.method.rawValue) \(attempt.purpose.rawValue)", kind: .client,
                lasting: attempt.duration, attributes: attributes.map { (name: $0.0, value: $0.1) }, failure: failure))
    }

    package func repeating(_ purpose: HTTPRequest.Purpose, after outcome: UpstreamAttempt.Outcome) {}

    package func heldBack(_ purpose: HTTPRequest.Purpose, _ state: UpstreamState.State) {}
}

/// Where a collector listens: `http://HOST[:PORT][/PATH]` or the same with `https`, for which the host has to be a name. OTLP's own port
/// and path where none is given.
package struct OTLPEndpoint: Sendable, Equatable {
    let target: HTTPRequest.Target
    let path: String

    package static let form = "expected http://HOST[:PORT][/PATH] or https://NAME[:PORT][/PATH]"

    package init?(_ text: String) {
        guard text.utf8.consists(of: .visible - "#\"<>\\", count: 1...512),
            let scheme = ["http://", "https://"].first(where: text.hasPrefix)
        else { return nil }
        let rest = text.dropFirst(scheme.utf8.count)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let path = rest[slash...]
        self.path = path.isEmpty || path == "/" ? "/v1/traces" : String(path)
        if scheme == "http://" {
            guard let address = HostAndPort(rest[..<slash], defaultPort: 4318) else { return nil }
            target = .metadata(host: address.host, port: address.port)
        } else {
            guard let endpoint = try? Endpoint(String(rest[..<slash])) else { return nil }
            target = .service(endpoint)
        }
    }
}
