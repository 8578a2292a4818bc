internal import SNPReport
internal import StrictJSON

/// An attestation report for a person: the same fields as `ReportJSON`, one line each.
enum ReportText {
    static func lines(_ report: AttestationReport, product: ProcessorProduct?) -> [String] {
        lines(ReportJSON.value(report, product: product), prefix: "")
    }

    private static func lines(_ value: JSONValue, prefix: String) -> [String] {
        guard case .object(let object) = value else { return [] }
        var result: [String] = []
        for (key, value) in object {
            switch value {
            case .object(let inner) where inner.keys.contains("debug") || inner.keys.contains("smt_en"):
                let set = inner.filter { $0.value == .boolean(true) }.map(\.key)
                result.append(row(key, text(inner["u64_hex"]) + (set.isEmpty ? "" : "  \(set.joined(separator: ", "))")))
            case .object(let inner):
                let parts = inner.filter { $0.key != "u64_hex" && $0.key != "hex" }.map { "\($0.key) \(text($0.value))" }
                result.append(
                    row(key, text(inner["u64_hex"] ?? inner["hex"]) + (parts.isEmpty ? "" : "  \(parts.joined(separator: ", "))")))
            case .array(let items): result.append(row(key, items.map { text($0) }.joined(separator: " ")))
            default: result.append(row(key, text(value)))
            }
        }
        return result
    }

    private static func row(_ name: String, _ value: String) -> String {
        name + String(repeating: " ", count: max(1, 22 - name.utf8.count)) + value
    }

    private static func text(_ value: JSONValue?) -> String {
        switch value {
        case .string(let text): text
        case .integer(let number): String(number)
        case .boolean(let flag): flag ? "yes" : "no"
        default: "-"
        }
    }
}
