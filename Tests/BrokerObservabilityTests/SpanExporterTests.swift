import HTTPTransport
import Logging
import StrictJSON
import Synchronization
import Testing
@testable import BrokerObservability

@Suite("Spans") struct SpanExporterTests {
    private final class Collector: HTTPTransport {
        let requests = Mutex<[HTTPRequest]>([])
        let status: Int

        init(status: Int = 200) { self.status = status }

        func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
            requests.withLock { $0.append(request) }
            return HTTPResponse(status: status)
        }
    }

    private static func exporter(_ collector: Collector) throws -> SpanExporter {
        SpanExporter(
            try #require(OTLPEndpoint("http://127.0.0.1:4318")), transport: collector, version: "1",
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static func span(_ context: TraceContext, failure: String? = nil) -> TraceSpan {
        TraceSpan(
            context, parentSpanID: "00f067aa0ba902b7", name: "release", kind: .server, lasting: .milliseconds(5),
            attributes: [("broker.code", "ok")], failure: failure)
    }

    /// Runs to the end of what is queued.
    private static func finish(_ exporter: SpanExporter) async {
        let task = Task { await exporter.run() }
        task.cancel()
        await task.value
    }

    @Test("a span is sent as OTLP writes it in JSON") func form() async throws {
        let collector = Collector()
        let exporter = try Self.exporter(collector)
        let context = TraceContext(isSampled: true)
        exporter.add(Self.span(context, failure: "releaseDenied"))
        await Self.finish(exporter)
        let request = try #require(collector.requests.withLock { $0 }.first)
        #expect(request.path == "/v1/traces" && request.headers.contains { $0.name == "Content-Type" && $0.value == "application/json" })
        let document = try JSONCursor.parse(try #require(request.body))
        let resource = try #require(try document.array("resourceSpans").first)
        let span = try #require(try resource.array("scopeSpans").first?.array("spans").first)
        #expect(try span.string("traceId") == context.traceID && span.string("spanId") == context.spanID)
        #expect(try span.string("parentSpanId") == "00f067aa0ba902b7" && span.string("name") == "release")
        let start = try #require(UInt64(try span.string("startTimeUnixNano")))
        let end = try #require(UInt64(try span.string("endTimeUnixNano")))
        #expect(end - start == 5_000_000 && start > 1_600_000_000_000_000_000)
        #expect(try span.member("status").string("message") == "releaseDenied")
    }

    @Test("a trace that nobody samples is not sent") func unsampled() async throws {
        let collector = Collector()
        let exporter = try Self.exporter(collector)
        exporter.add(Self.span(TraceContext(isSampled: false)))
        await Self.finish(exporter)
        #expect(collector.requests.withLock { $0 }.isEmpty && exporter.droppedSpans == 0)
    }

    @Test("the queue is bounded, and what is lost is counted") func bounded() async throws {
        let full = try Self.exporter(Collector())
        let context = TraceContext(isSampled: true)
        for _ in 0..<SpanExporter.capacity + 7 { full.add(Self.span(context)) }
        #expect(full.droppedSpans == 7)
        let collector = Collector(status: 503)
        let refused = try Self.exporter(collector)
        for _ in 0..<3 { refused.add(Self.span(context)) }
        await Self.finish(refused)
        #expect(refused.droppedSpans == 3)
    }

    @Test("an endpoint is an address with a scheme; port and path are OTLP's own where they are missing") func endpoints() throws {
        #expect(OTLPEndpoint("http://collector") == OTLPEndpoint("http://collector:4318/v1/traces"))
        #expect(OTLPEndpoint("https://otlp.example.net/x")?.path == "/x")
        for wrong in ["", "collector:4318", "ftp://collector", "http://", "http://a b", "https://127.0.0.1", "http://u@collector"] {
            #expect(OTLPEndpoint(wrong) == nil, "\(wrong)")
        }
    }
}
