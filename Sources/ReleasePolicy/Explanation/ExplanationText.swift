internal import PlainText

/// How parts of a text are emphasised; nothing by default.
package struct TextMarks: Sendable {
    package var good: @Sendable (String) -> String
    package var bad: @Sendable (String) -> String
    package var strong: @Sendable (String) -> String
    package var faint: @Sendable (String) -> String

    package init(
        good: @escaping @Sendable (String) -> String, bad: @escaping @Sendable (String) -> String,
        strong: @escaping @Sendable (String) -> String, faint: @escaping @Sendable (String) -> String
    ) {
        self.good = good
        self.bad = bad
        self.strong = strong
        self.faint = faint
    }

    /// No emphasis.
    package static var plain: TextMarks { TextMarks(good: { $0 }, bad: { $0 }, strong: { $0 }, faint: { $0 }) }
}

extension ReleaseExplanation {
    /// The tree: each authority, the nearest first, with every condition, what was wanted, what was found and why it does not hold. Lines
    /// end with a line feed.
    ///
    /// Readable without colour: each line starts with `ok` or `FAIL`. Of many authorities the first `authorityLimit` are shown.
    package func text(marks: TextMarks = .plain, authorityLimit: Int = .max) -> String {
        var lines: [String] = []
        let word: String
        switch verdict {
        case "satisfied": word = marks.good("SATISFIED")
        case "undecided": word = marks.strong("UNDECIDED")
        default: word = marks.bad("NOT SATISFIED")
        }
        lines.append("\(word): \(meaning.joined(separator: "; "))")
        lines.append("issuer \(VisibleText.quoted(outcome.issuer))")
        let shown = outcome.authorities.prefix(max(authorityLimit, 1))
        for (index, entry) in shown.enumerated() {
            lines.append("")
            let rank = index == 0 && outcome.authorities.count > 1 ? "  (nearest of \(outcome.authorities.count))" : ""
            lines.append(
                "\(mark(entry.isSatisfied, marks)) \(marks.strong("authority \(VisibleText.quoted(entry.authority))"))\(rank)"
                    + "  \(marks.faint(entry.pointer))")
            lines.append("  \(mark(entry.match == .exact, marks)) issuer: \(issuerWords(entry))")
            append(entry.conditions, depth: 1, marks, to: &lines)
        }
        if shown.count < outcome.authorities.count {
            lines.append("")
            lines.append("… and \(outcome.authorities.count - shown.count) more authorities")
        }
        if let smallestChange {
            lines.append("")
            let count = smallestChange.steps.count
            lines.append(
                marks.strong("Smallest change") + " (\(count) \(count == 1 ? "step" : "steps"), for "
                    + "\(VisibleText.quoted(smallestChange.authority))):")
            for (index, step) in smallestChange.steps.enumerated() {
                lines.append("  \(index + 1). \(step.problem)")
                if isUnknowable(step.claim) {
                    lines.append("     only the authority knows this claim; it cannot be derived from the evidence here")
                }
                for way in [step.deployment, step.policy].compactMap({ $0 }) { lines.append("     - \(way)") }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    package func issuerWords(_ entry: AuthorityOutcome) -> String {
        guard !outcome.issuer.isEmpty else { return "the token names no issuer (\(entry.match.rawValue))" }
        let words = ReasonWords.words(entry.match)
        return entry.match == .exact ? words : "\(words) (\(entry.match.rawValue))"
    }

    private func append(_ group: GroupOutcome, depth: Int, _ marks: TextMarks, to lines: inout [String]) {
        let indent = String(repeating: "  ", count: depth)
        let join = group.join == .all ? "all of these" : "at least one of these"
        lines.append("\(indent)\(mark(group.isSatisfied, marks)) \(join):  \(marks.faint(group.pointer))")
        for condition in group.conditions {
            switch condition {
            case .group(let nested): append(nested, depth: depth + 1, marks, to: &lines)
            case .claim(let claim): append(claim, depth: depth + 1, marks, to: &lines)
            }
        }
    }

    private func append(_ claim: ClaimOutcome, depth: Int, _ marks: TextMarks, to lines: inout [String]) {
        let indent = String(repeating: "  ", count: depth)
        let statement = "\(VisibleText.name(claim.claim)) \(ReasonWords.words(claim.operator)) \(VisibleText.value(claim.wanted))"
        lines.append("\(indent)\(mark(claim.isSatisfied, marks)) \(statement)")
        guard !claim.isSatisfied else { return }
        let found = claim.actual.map(VisibleText.value) ?? "nothing"
        lines.append("\(indent)       wanted  \(VisibleText.value(claim.wanted))")
        lines.append("\(indent)       found   \(marks.bad(found))")
        lines.append("\(indent)       why     \(ReasonWords.words(claim)) (\(claim.reason.rawValue))")
        lines.append("\(indent)       where   \(marks.faint(claim.pointer))")
    }

    private func mark(_ isGood: Bool, _ marks: TextMarks) -> String { isGood ? marks.good("[ok]  ") : marks.bad("[FAIL]") }
}
