package import ReleasePolicy
internal import StrictJSON

/// Finds what is wrong with a release policy before it guards a key: against the grammar, and against what the tokens of Azure Attestation
/// look like.
package struct PolicyLinter: Sendable {
    /// What the policy is for. Tokens of containers are flat, those of confidential VMs nested.
    package enum Purpose: String, Sendable, CaseIterable {
        case container
        case confidentialVM = "cvm"
    }

    /// `nil`: judged from each alternative of the policy itself.
    package var purpose: Purpose?
    /// Whether the policy is or will be immutable; `nil` takes what the document says.
    package var isImmutable: Bool?

    package init(purpose: Purpose? = nil, isImmutable: Bool? = nil) {
        self.purpose = purpose
        self.isImmutable = isImmutable
    }

    /// All findings, in the order of the text.
    package func check(_ document: PolicyDocument) -> [LintFinding] {
        var drafts = Drafts()
        let value: JSONValue
        do { value = try JSONValue.parse(written: document.text, limits: JSONLimits(maximumBytes: ReleasePolicy.maximumBytes)) } catch {
            return [Self.syntax(error, document.text)]
        }
        LintGrammar.check(value, into: &drafts)
        for entry in LintOutline.entries(value) {
            if let authority = entry.authority { LintAuthorities.check(authority, at: entry.pointer + "/authority", into: &drafts) }
            for claim in entry.conditions.claims { LintClaims.check(claim, into: &drafts) }
            LintCoverage(purpose: purpose, entry: entry).check(into: &drafts)
        }
        if isImmutable ?? document.isImmutable ?? false {
            let count = drafts.all.filter { $0.severity > .note }.count
            if count > 0 {
                drafts.add(
                    .immutable, .error, "",
                    "the policy is immutable: \(count == 1 ? "this finding" : "these \(count) findings") can never be mended on this key",
                    fix: "mend the policy before the key is created, or leave \"immutable\" false until it is proved")
            }
        }
        return placed(drafts.all, in: document.text)
    }

    private func placed(_ drafts: [Draft], in text: [UInt8]) -> [LintFinding] {
        let places = TextPlaces(text)
        let findings = drafts.map { draft -> LintFinding in
            let place = places.place(of: draft.pointer)
            return LintFinding(
                rule: draft.rule, severity: draft.severity, pointer: draft.pointer, line: place?.line, column: place?.column,
                message: draft.message, fix: draft.fix)
        }
        return findings.enumerated().sorted { left, right in
            let a = (left.element.line ?? 0, left.element.column ?? 0, left.offset)
            let b = (right.element.line ?? 0, right.element.column ?? 0, right.offset)
            return a < b
        }.map(\.element)
    }

    private static func syntax(_ error: JSONError, _ text: [UInt8]) -> LintFinding {
        let place = error.position.map { TextPlaces(text).place(at: $0) }
        return LintFinding(
            rule: .syntax, severity: .error, pointer: "", line: place?.line ?? error.line, column: place?.column,
            message: error.path.isEmpty ? error.reason : "\(error.path): \(error.reason)", fix: nil)
    }

    /// A finding before its place in the text is known.
    struct Draft: Equatable {
        let rule: LintRule
        let severity: LintFinding.Severity
        let pointer: String
        let message: String
        let fix: String?
    }

    /// Findings of all rules; one of the same rule at the same place is enough.
    struct Drafts {
        private(set) var all: [Draft] = []
        private var seen: Set<String> = []

        mutating func add(_ rule: LintRule, _ severity: LintFinding.Severity, _ pointer: String, _ message: String, fix: String? = nil) {
            guard seen.insert(rule.rawValue + pointer).inserted else { return }
            all.append(Draft(rule: rule, severity: severity, pointer: pointer, message: message, fix: fix))
        }
    }
}
