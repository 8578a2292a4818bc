import BrokerCore
import HTTPTransport
import Testing

@testable import BrokerObservability

@Suite("Metrics of requests") struct RequestMetricsTests {
    private static func record(_ operation: RequestRecord.Operation = .release, _ code: BrokerError.Code? = nil, store: String? = "mhsm")
        -> RequestRecord
    {
        var record = RequestRecord(requestID: "r", caller: .broker)
        record.operation = operation
        record.store = store
        record.session = code == nil && operation == .release ? .reused : nil
        record.durations = [.release: .milliseconds(3), .queue: .microseconds(10)]
        record.duration = .milliseconds(4)
        record.error = code.map { BrokerError($0, at: .release, "no") }
        return record
    }

    @Test("a request counts once, with its outcome, code, stage and store") func counted() {
        let metrics = BrokerMetrics(stores: ["mhsm"])
        metrics.completed(Self.record())
        metrics.completed(Self.record(.release, .releaseDenied))
        metrics.completed(Self.record(.attestRaw, nil, store: nil))
        metrics.completed(Self.record(.release, .keyNotFound, store: "made up"))
        let page = Exposition.openMetrics.page(metrics.registry)
        for line in [
            #"broker_requests_total{operation="release",outcome="served",code="ok",stage="none",store="mhsm"} 1"#,
            #"broker_requests_total{operation="release",outcome="refused",code="releaseDenied",stage="release",store="mhsm"} 1"#,
            #"broker_requests_total{operation="attest-raw",outcome="served",code="ok",stage="none",store="none"} 1"#,
            #"broker_requests_total{operation="release",outcome="refused",code="keyNotFound",stage="release",store="other"} 1"#,
            #"broker_stage_duration_seconds_bucket{stage="release",le="0.005"} 4"#,
            #"broker_request_duration_seconds_count{operation="release",outcome="refused"} 2"#,
            #"broker_released_by_total{session="reused",shared="no"} 1"#,
        ] { #expect(page.contains(line + "\n"), "\(line)\n\(page)") }
    }

    @Test("every code has its outcome; a caller that went away is nobody's failure", arguments: BrokerError.Code.allCases)
    func outcomes(code: BrokerError.Code) {
        let outcome = RequestOutcome(BrokerError(code, at: .release, ""))
        #expect(outcome == .refused || outcome == .failed)
        #expect(RequestOutcome(.cancelled(at: .verify)) == .abandoned && RequestOutcome(nil) == .served)
    }
}
