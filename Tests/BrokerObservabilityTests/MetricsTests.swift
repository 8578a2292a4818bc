import CoreMetrics
import Foundation
import HTTPTransport
import Testing
@testable import BrokerObservability

@Suite("Metrics") struct MetricsTests {
    private static let families = [
        MetricFamily("a_requests", .counter, [MetricLabel("code", ["ok", "bad"])], help: "A \\ and\na line."),
        MetricFamily("a_time_seconds", .histogram([0.1, 1]), unit: "seconds", help: "Time."),
        MetricFamily("a_gauge", .gauge, help: "Now."), MetricFamily("a_build", .info, [MetricLabel("version", ["1\"2"])], help: "This."),
    ]

    private static func filled() -> MetricsRegistry {
        let registry = MetricsRegistry(families)
        for code in ["ok", "bad", "ok", "made up by a caller"] {
            Counter(label: "a_requests", dimensions: [("code", code)], factory: registry).increment()
        }
        for microseconds in [62_500, 93_750, 500_000, 5_000_000] {
            CoreMetrics.Timer(label: "a_time_seconds", dimensions: [], factory: registry).recordMicroseconds(microseconds)
        }
        Meter(label: "a_gauge", factory: registry).set(1.5)
        registry.collect { [MetricSample("a_build", "1\"2", value: 1), MetricSample("not_declared", value: 1)] }
        return registry
    }

    @Test("OpenMetrics text, to the letter") func openMetrics() {
        #expect(
            Exposition.openMetrics.page(Self.filled()) == """
                # TYPE a_requests counter
                # HELP a_requests A \\\\ and\\na line.
                a_requests_total{code="bad"} 1
                a_requests_total{code="ok"} 2
                a_requests_total{code="other"} 1
                # TYPE a_time_seconds histogram
                # UNIT a_time_seconds seconds
                # HELP a_time_seconds Time.
                a_time_seconds_bucket{le="0.1"} 2
                a_time_seconds_bucket{le="1"} 3
                a_time_seconds_bucket{le="+Inf"} 4
                a_time_seconds_count 4
                a_time_seconds_sum 5.65625
                # TYPE a_gauge gauge
                # HELP a_gauge Now.
                a_gauge 1.5
                # TYPE a_build info
                # HELP a_build This.
                a_build_info{version="1\\"2"} 1
                # EOF

                """)
    }

    @Test("the older text knows families by the names of their samples") func text() {
        let page = Exposition.text.page(Self.filled())
        #expect(page.contains("# TYPE a_requests_total counter\n") && page.contains("# TYPE a_build_info gauge\n"))
        #expect(!page.contains("# UNIT") && !page.contains("# EOF"))
        #expect(Exposition(accept: "application/openmetrics-text;version=1.0.0;q=0.5,text/plain") == .openMetrics)
        #expect(Exposition(accept: "*/*") == .text && Exposition(accept: nil) == .text)
    }

    @Test("what is not declared is counted by nobody, and a label's values are the declared ones") func closed() {
        let registry = MetricsRegistry(Self.families)
        Counter(label: "unknown", factory: registry).increment()
        Counter(label: "a_requests", factory: registry).increment()
        Counter(label: "a_requests", dimensions: [("kode", "ok")], factory: registry).increment()
        Counter(label: "a_gauge", factory: registry).increment()
        CoreMetrics.Timer(label: "a_gauge", dimensions: [], factory: registry).recordSeconds(1)
        #expect(Exposition.openMetrics.page(registry) == "# EOF\n")
    }

    @Test("names, units and labels of the broker's own figures keep the rules of OpenMetrics") func names() {
        let metrics = BrokerMetrics(stores: ["mhsm", "akv"])
        var seen: Set<String> = []
        for family in metrics.registry.families {
            #expect(seen.insert(family.name).inserted, "\(family.name)")
            #expect(family.name.wholeMatch(of: /(broker|process)_[a-z_]+/) != nil)
            for suffix in ["_total", "_info", "_count", "_sum", "_bucket", "_created"] {
                #expect(!family.name.hasSuffix(suffix), "\(family.name)")
            }
            #expect(family.unit == nil || family.name.hasSuffix("_" + (family.unit ?? "")), "\(family.name)")
            #expect(family.help.hasSuffix(".") && !family.help.contains("\n"))
            let series = family.labels.reduce(1) { $0 * $1.values.count }
            #expect(series <= 50_000, "\(family.name) has \(series) series")
            for label in family.labels { #expect(label.name.wholeMatch(of: /[a-z_]+/) != nil && label.name != "le") }
            if case .histogram(let bounds) = family.kind {
                #expect(bounds == bounds.sorted() && bounds.first == 0.001 && bounds.last == 30)
            }
        }
        #expect(seen.count > 15)
    }

    @Test("Metrics.md has a row for each, with its type and its labels") func documented() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "Sources/BrokerCore/BrokerCore.docc/Metrics.md"), encoding: .utf8)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `") }.map {
            $0.split(separator: "|", omittingEmptySubsequences: false)
        }
        let families = BrokerMetrics(stores: ["mhsm"]).registry.families
        for family in families {
            let row = rows.first { $0[1].contains("`\(family.name)`") }
            #expect(row?[3].matches(of: /[a-z_]+/).map { String($0.0) } == family.labels.map(\.name), "\(family.name)")
            let type =
                switch family.kind {
                case .counter: "counter"
                case .gauge: "gauge"
                case .histogram: "histogram"
                case .info: "info"
                }
            #expect(row?[2].contains(type) == true, "\(family.name)")
        }
        let named = rows.flatMap { $0[1].matches(of: /`([a-z_]+)`/).map { String($0.1) } }
        #expect(Set(named) == Set(families.map(\.name)))
    }

    @Test("every end of a request to a service has its result") func results() {
        let ends: [(UpstreamAttempt.Outcome, UpstreamResult)] = [
            (.status(200), .ok), (.status(302), .redirect), (.status(404), .refused), (.status(429), .throttled), (.status(503), .failed),
            (.status(99), .invalid), (.error(.deadlineExceeded), .deadline), (.error(.tlsFailed(reason: "")), .notTrusted),
            (.error(.connectionFailed(reason: "")), .unreachable), (.error(.cancelled), .cancelled),
            (.error(.responseTooLarge(limit: 1)), .invalid),
        ]
        for (outcome, result) in ends { #expect(UpstreamResult(outcome) == result) }
    }

    @Test("the process says how it is") func process() {
        let page = Exposition.openMetrics.page(BrokerMetrics(stores: []).registry)
        for family in ProcessFigures.families { #expect(page.contains("# TYPE \(family.name) "), "\(family.name)") }
    }
}
