internal import PlainText
package import StrictJSON

/// One remark about a release policy.
package struct LintFinding: Sendable, Equatable {
    package enum Severity: String, Sendable, Comparable, CaseIterable {
        case note, warning, error

        package static func < (left: Severity, right: Severity) -> Bool {
            switch (left, right) {
            case (.note, .warning), (.note, .error), (.warning, .error): true
            default: false
            }
        }
    }

    package let rule: LintRule
    package let severity: Severity
    /// JSON pointer; empty for the document.
    package let pointer: String
    /// Line and column, counted from 1, in the policy's own text; `nil` where there is none.
    package let line: Int?
    package let column: Int?
    /// What is wrong.
    package let message: String
    /// What to write instead; `nil` where only the author can know.
    package let fix: String?

    /// The pointer as it may be shown: it has names of the policy in it.
    package var place: String { VisibleText.name(pointer) }

    /// `{"rule","severity","pointer","line","column","message","fix"}`.
    package var json: JSONValue {
        [
            "rule": .string(rule.rawValue), "severity": .string(severity.rawValue), "pointer": .string(pointer),
            "line": line.map { .integer(Int64($0)) } ?? .null, "column": column.map { .integer(Int64($0)) } ?? .null,
            "message": .string(message), "fix": fix.map { .string($0) } ?? .null,
        ]
    }
}
