/// One figure with all its labels: what is declared about it, once (Metrics.md, "Names").
package struct MetricFamily: Sendable {
    package enum Kind: Sendable, Equatable {
        case counter
        case gauge
        /// Upper bounds of the buckets, ascending, without the infinite one.
        case histogram([Double])
        /// A gauge that is always 1 and says something in its labels.
        case info
    }

    /// Without `_total`, `_info` and the like; with its unit at the end.
    package let name: String
    package let kind: Kind
    package let help: String
    /// `seconds`, `bytes`; the name ends with it.
    package let unit: String?
    package let labels: [MetricLabel]

    package init(_ name: String, _ kind: Kind, unit: String? = nil, _ labels: [MetricLabel] = [], help: String) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.labels = labels
        self.help = help
    }
}

/// A label and every value that it can have. A value that is not among them is written as `other`, so that nobody who sends requests can
/// make the number of series grow, or put words into it.
package struct MetricLabel: Sendable {
    package let name: String
    package let values: Set<String>

    package init(_ name: String, _ values: some Sequence<String>) {
        self.name = name
        self.values = Set(values).union([Self.other])
    }

    package init<Value: CaseIterable & RawRepresentable<String>>(_ name: String, _ values: Value.Type, and others: String...) {
        self.init(name, values.allCases.map(\.rawValue) + others)
    }

    package static let other = "other"

    func checked(_ value: String) -> String { values.contains(value) ? value : Self.other }
}

/// A value that is looked up when somebody asks for it.
package struct MetricSample: Sendable {
    package let family: String
    /// In the order of the family's labels.
    package let labels: [String]
    package let value: Double

    package init(_ family: String, _ labels: String..., value: Double) {
        self.family = family
        self.labels = labels
        self.value = value
    }
}
