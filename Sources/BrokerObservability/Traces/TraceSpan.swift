internal import Glibc
package import HTTPTransport
internal import StrictJSON

/// A piece of work in a trace, ended. Its texts come from closed sets: no name of a key, no host of a caller's choice, no token.
package struct TraceSpan: Sendable {
    /// OTLP's numbers.
    package enum Kind: Int64, Sendable {
        case `internal` = 1
        case server = 2
        case client = 3
    }

    let context: TraceContext
    let parentSpanID: String?
    let name: String
    let kind: Kind
    /// Nanoseconds since 1970.
    let start: UInt64
    let end: UInt64
    let attributes: [(name: String, value: String)]
    /// What went wrong; `nil` where nothing did.
    let failure: String?

    /// A span that ends now.
    package init(
        _ context: TraceContext, parentSpanID: String?, name: String, kind: Kind, lasting duration: Duration,
        endedBefore age: Duration = .zero, attributes: [(name: String, value: String)], failure: String? = nil
    ) {
        self.context = context
        self.parentSpanID = parentSpanID
        self.name = name
        self.kind = kind
        let now = Self.now()
        end = now - min(now, Self.nanoseconds(age))
        start = end - min(end, Self.nanoseconds(duration))
        self.attributes = attributes
        self.failure = failure
    }

    /// As OTLP writes a span in JSON: identifiers in hexadecimal, 64-bit numbers as text (Metrics.md, "Traces").
    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("traceId", .string(context.traceID)), ("spanId", .string(context.spanID)), ("name", .string(name)),
            ("kind", .integer(kind.rawValue)), ("startTimeUnixNano", .string(String(start))), ("endTimeUnixNano", .string(String(end))),
            ("attributes", .array(attributes.map { Self.attribute($0.name, $0.value) })),
        ]
        if let parentSpanID { members.append(("parentSpanId", .string(parentSpanID))) }
        if let failure { members.append(("status", ["code": 2, "message": .string(failure)])) }
        return .object(JSONObject(members))
    }

    static func attribute(_ name: String, _ value: String) -> JSONValue {
        ["key": .string(name), "value": ["stringValue": .string(value)]]
    }

    private static func nanoseconds(_ duration: Duration) -> UInt64 { UInt64(max(0, duration / .nanoseconds(1))) }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(max(0, time.tv_sec)) * 1_000_000_000 + UInt64(max(0, time.tv_nsec))
    }
}
