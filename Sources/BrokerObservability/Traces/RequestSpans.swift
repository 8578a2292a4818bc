package import BrokerCore
internal import BrokerEngine
internal import HTTPTransport

extension SpanExporter: RequestObserver {
    package func completed(_ record: RequestRecord) {
        guard let trace = record.trace, trace.isSampled, let duration = record.duration else { return }
        var attributes = [("broker.operation", record.operation.rawValue), ("broker.code", record.code)]
        if let session = record.session { attributes.append(("broker.session", session.rawValue)) }
        if record.isShared { attributes.append(("broker.shared", "true")) }
        if let store = record.store { attributes.append(("broker.store", store)) }
        for (timing, duration) in record.durations {
            attributes.append(("broker.stage.\(timing.rawValue)_ms", String(Int64(duration / .milliseconds(1)))))
        }
        if let stage = record.error?.stage { attributes.append(("broker.stage", stage.rawValue)) }
        add(
            TraceSpan(
                trace, parentSpanID: record.traceParent?.spanID, name: record.operation.rawValue, kind: .server, lasting: duration,
                attributes: attributes.map { (name: $0.0, value: $0.1) }, failure: record.error?.code.rawValue))
    }
}
