/// How figures are written: the two text formats that Prometheus reads (Metrics.md, "Formats").
package enum Exposition: String, Sendable, CaseIterable {
    case openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    case text = "text/plain; version=0.0.4; charset=utf-8"

    /// What a client that sent this `Accept` field reads.
    package init(accept: String?) { self = accept?.contains("application/openmetrics-text") == true ? .openMetrics : .text }

    package func page(_ registry: MetricsRegistry) -> String {
        var page = ""
        for (family, series) in registry.readings() { write(family, series, to: &page) }
        return self == .openMetrics ? page + "# EOF\n" : page
    }

    private func write(_ family: MetricFamily, _ series: [(labels: [String], reading: MetricReading)], to page: inout String) {
        let suffix =
            switch family.kind {
            case .counter: "_total"
            case .info: "_info"
            case .gauge, .histogram: ""
            }
        // The older format knows families by the name of their samples.
        let shown = self == .openMetrics ? family.name : family.name + suffix
        page += "# TYPE \(shown) \(type(of: family.kind))\n"
        if self == .openMetrics, let unit = family.unit { page += "# UNIT \(shown) \(unit)\n" }
        page += "# HELP \(shown) \(Self.escaped(family.help, quotes: false))\n"
        for (labels, reading) in series {
            let pairs = zip(family.labels, labels).map { "\($0.name)=\"\(Self.escaped($1, quotes: true))\"" }
            switch reading {
            case .number(let value): Self.sample(family.name + suffix, pairs, value, to: &page)
            case .distribution(let counts, let sum):
                guard case .histogram(let bounds) = family.kind else { continue }
                var total: UInt64 = 0
                for (bound, count) in zip(bounds.map(Self.number) + ["+Inf"], counts) {
                    total += count
                    Self.sample(family.name + "_bucket", pairs + ["le=\"\(bound)\""], Double(total), to: &page)
                }
                Self.sample(family.name + "_count", pairs, Double(total), to: &page)
                Self.sample(family.name + "_sum", pairs, sum, to: &page)
            }
        }
    }

    private func type(of kind: MetricFamily.Kind) -> String {
        switch kind {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        case .info: self == .openMetrics ? "info" : "gauge"
        }
    }

    private static func sample(_ name: String, _ pairs: [String], _ value: Double, to page: inout String) {
        page += pairs.isEmpty ? "\(name) \(number(value))\n" : "\(name){\(pairs.joined(separator: ","))} \(number(value))\n"
    }

    /// Whole numbers without a fraction, as both parsers take them.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
