import StrictJSON

/// A load report in words and as JSON.
struct LoadText {
    let report: LoadReport
    let before: ProcessUsage?
    let after: ProcessUsage?

    private static let percentiles: [(name: String, value: Double)] = [
        ("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("max", 100),
    ]

    /// CPU of the server for each answer, in microseconds.
    private var cpuForEach: Double? {
        guard let before, let after, report.succeeded > 0 else { return nil }
        return (after.cpuSeconds - before.cpuSeconds) * 1e6 / Double(report.succeeded)
    }

    var table: String {
        var lines = [
            "answers      \(report.succeeded) in \(Self.decimal(report.elapsed / .seconds(1), 2)) s, "
                + "\(Self.decimal(report.throughput, 1)) per second"
        ]
        let times = Self.percentiles.compactMap { name, value in report.percentile(value).map { "\(name) \(Self.milliseconds($0))" } }
        if !times.isEmpty { lines.append("latency      " + times.joined(separator: "  ")) }
        for (status, count) in report.statuses.sorted(by: { $0.key < $1.key }) where !(200..<300).contains(status) {
            lines.append("status \(status)   \(count)")
        }
        if let p50 = report.otherPercentile(50), let p99 = report.otherPercentile(99) {
            lines.append("their times  p50 \(Self.milliseconds(p50))  p99 \(Self.milliseconds(p99))")
        }
        for (reason, count) in report.failures.sorted(by: { $0.key < $1.key }) { lines.append("\(reason): \(count)") }
        if let cpuForEach { lines.append("server CPU   \(Self.decimal(cpuForEach, 1)) us for each answer, warm-up included") }
        if let after { lines.append("server RSS   \(Self.decimal(Double(after.residentBytes) / 1_048_576, 1)) MiB") }
        return lines.joined(separator: "\n")
    }

    var json: String {
        var members: [(String, JSONValue)] = [
            ("succeeded", .integer(Int64(report.succeeded))), ("failed", .integer(Int64(report.failed))),
            ("seconds", .real(report.elapsed / .seconds(1))), ("per_second", .real(report.throughput)),
        ]
        func times(_ name: String, _ percentile: (Double) -> Duration?) {
            let values = Self.percentiles.compactMap { name, value in
                percentile(value).map { (name, JSONValue.real($0 / .microseconds(1))) }
            }
            if !values.isEmpty { members.append((name, .object(JSONObject(values)))) }
        }
        times("latency_us", report.percentile)
        times("other_latency_us", report.otherPercentile)
        members.append(
            (
                "statuses",
                .object(JSONObject(report.statuses.sorted { $0.key < $1.key }.map { (String($0.key), .integer(Int64($0.value))) }))
            ))
        members.append(
            ("failures", .object(JSONObject(report.failures.sorted { $0.key < $1.key }.map { ($0.key, .integer(Int64($0.value))) }))))
        if let cpuForEach { members.append(("server_cpu_us", .real(cpuForEach))) }
        if let after { members.append(("server_rss_bytes", .integer(Int64(after.residentBytes)))) }
        return String(decoding: JSONValue.object(JSONObject(members)).serialized(), as: UTF8.self)
    }

    private static func milliseconds(_ duration: Duration) -> String { decimal(duration / .milliseconds(1), 3) + " ms" }

    private static func decimal(_ value: Double, _ places: Int) -> String {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = Int64((value * scale).rounded())
        let digits = String(abs(scaled))
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        guard places > 0 else { return (scaled < 0 ? "-" : "") + padded }
        return (scaled < 0 ? "-" : "") + padded.dropLast(places) + "." + padded.suffix(places)
    }
}
