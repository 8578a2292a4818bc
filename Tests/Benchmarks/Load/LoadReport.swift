/// What came back.
struct LoadReport: Sendable {
    /// Answers that were counted, by HTTP status.
    var statuses: [Int: Int] = [:]
    /// Requests without an answer, by the reason.
    var failures: [String: Int] = [:]
    /// Nanoseconds from the moment at which a request was due (with a rate) or sent to the end of its answer: of every 2xx answer, in ascending order.
    var latencies: [Int64] = []
    /// The same of every other answer.
    var otherLatencies: [Int64] = []
    /// The counted time.
    var elapsed: Duration = .zero

    /// 2xx answers.
    var succeeded: Int { latencies.count }
    /// Everything else that was tried.
    var failed: Int { otherLatencies.count + failures.values.reduce(0, +) }

    /// 2xx answers for each second.
    var throughput: Double { elapsed > .zero ? Double(succeeded) / (elapsed / .seconds(1)) : 0 }

    /// Nearest-rank percentile of the 2xx answers, `nil` where there was none. `p` from 0 to 100.
    func percentile(_ p: Double) -> Duration? { Self.percentile(p, of: latencies) }

    /// Nearest-rank percentile of the answers with another status.
    func otherPercentile(_ p: Double) -> Duration? { Self.percentile(p, of: otherLatencies) }

    static func percentile(_ p: Double, of sorted: [Int64]) -> Duration? {
        guard !sorted.isEmpty else { return nil }
        let rank = Int((min(max(p, 0), 100) / 100 * Double(sorted.count)).rounded(.up))
        return .nanoseconds(sorted[min(max(rank, 1), sorted.count) - 1])
    }
}
