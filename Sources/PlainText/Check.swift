/// One thing that was looked at.
package struct Check: Sendable, Equatable {
    /// Stable, kebab-case.
    package let code: String
    package let ok: Bool
    /// One line in plain words: what was compared, or what is wrong.
    package let detail: String

    package init(_ code: String, _ ok: Bool, _ detail: String) {
        self.code = code
        self.ok = ok
        self.detail = detail
    }
}

extension [Check] {
    /// Codes of what failed, each once.
    package var failures: [String] {
        var seen: Set<String> = []
        return filter { !$0.ok && seen.insert($0.code).inserted }.map(\.code)
    }

    /// What failed, for one line: `report-signature (the report was altered); …`.
    package var complaint: String { filter { !$0.ok }.map { "\($0.code) (\($0.detail))" }.joined(separator: "; ") }
}
