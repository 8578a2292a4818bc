internal import FoundationEssentials
internal import PlainText

extension RFC3339 {
    /// Seconds since 1970 of `2026-11-23T20:00:00Z` or with an offset or a fraction; of a plain date its midnight in UTC.
    static func parse(_ text: String) -> Int64? {
        let full = text.contains("T") || text.contains(" ") ? text.replacing(" ", with: "T", maxReplacements: 1) : text + "T00:00:00Z"
        for style in [Date.ISO8601FormatStyle(includingFractionalSeconds: false), .init(includingFractionalSeconds: true)] {
            if let date = try? style.parse(full) { return Int64(date.timeIntervalSince1970.rounded(.down)) }
        }
        return nil
    }
}
