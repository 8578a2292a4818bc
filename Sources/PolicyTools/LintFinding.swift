public import StrictJSON

/// One remark about a release policy.
public struct LintFinding: Sendable, Equatable {
    public enum Severity: String, Sendable, Comparable, CaseIterable {
        case note, warning, error

        public static func < (left: Severity, right: Severity) -> Bool {
            switch (left, right) {
            case (.note, .warning), (.note, .error), (.warning, .error): true
            default: false
            }
        }
    }

    public let rule: LintRule
    public let severity: Severity
    /// JSON pointer; empty for the document.
    public let pointer: String
    /// Line and column, counted from 1, in the policy's own text; `nil` where there is none.
    public let line: Int?
    public let column: Int?
    /// What is wrong.
    public let message: String
    /// What to write instead; `nil` where only the author can know.
    public let fix: String?

    /// `{"rule","severity","pointer","line","column","message","fix"}`.
    public var json: JSONValue {
        [
            "rule": .string(rule.rawValue), "severity": .string(severity.rawValue), "pointer": .string(pointer),
            "line": line.map { .integer(Int64($0)) } ?? .null,
            "column": column.map { .integer(Int64($0)) } ?? .null, "message": .string(message),
            "fix": fix.map { .string($0) } ?? .null,
        ]
    }
}
