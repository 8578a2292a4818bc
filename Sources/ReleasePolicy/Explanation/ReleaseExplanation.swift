internal import PlainText
package import StrictJSON

/// Why a release policy does or does not admit a token, ready to be shown: one line, a tree, JSON, a page.
///
/// It contains names and values of claims and nothing else of the token. Values are shortened, and characters that could deceive a reader
/// are escaped.
package struct ReleaseExplanation: Sendable {
    /// What the evaluator found.
    package let outcome: PolicyOutcome
    /// The fewest changes that would make the policy admit the token; `nil` where it does.
    package let smallestChange: SmallestChange?
    /// Names of claims that nobody but the authority can know, when the claims were derived from evidence: they count as missing.
    package let unknowableClaims: [String]
    /// What a yes rests on besides the claims; `nil` where the token was verified.
    package let premise: Premise?

    /// `claims`: the token's, where they are at hand. They make the advice better (a claim may be there under the name of the other kind of
    /// token) and are not kept.
    package init(_ outcome: PolicyOutcome, claims: JSONObject? = nil, unknowableClaims: [String] = [], premise: Premise? = nil) {
        self.outcome = outcome
        self.premise = premise
        self.unknowableClaims = unknowableClaims
        smallestChange = SmallestChangeSearch(outcome: outcome, claims: claims).result
    }

    package var isSatisfied: Bool { outcome.isSatisfied }

    /// The claims that stand between the policy and a yes and that only the authority can decide, when nothing else does; else empty.
    package var undecidedClaims: [String] {
        guard let smallestChange else { return [] }
        let open = smallestChange.steps.filter { $0.reason == ClaimReason.missingClaim.rawValue && isUnknowable($0.claim) }
        return open.count == smallestChange.steps.count ? open.map(\.claim) : []
    }

    /// `satisfied`, `not-satisfied`, or `undecided` where only unknowable claims stand in the way.
    package var verdict: String {
        if isSatisfied { return "satisfied" }
        return undecidedClaims.isEmpty ? "not-satisfied" : "undecided"
    }

    /// What the verdict means for the key, a clause for each thing that is known.
    package var meaning: [String] {
        let main =
            switch verdict {
            case "satisfied": premise.map { "would be released, if \($0.condition)" } ?? "the key is released to this token"
            case "undecided": "it depends on what only the authority can say"
            default: "the key is not released to this token"
            }
        return [main] + (premise?.remarks ?? [])
    }

    /// One line without control characters, for logs and for the short form of an error.
    package var summary: String {
        if let entry = outcome.authorities.first, isSatisfied {
            return "the release policy is satisfied through the authority \(VisibleText.quoted(entry.authority))"
        }
        if !undecidedClaims.isEmpty {
            return "the release policy depends on what only the authority can say: "
                + undecidedClaims.map(VisibleText.name).joined(separator: ", ")
        }
        guard let smallestChange else { return "the release policy is not satisfied" }
        let shown = smallestChange.steps.prefix(3).map(\.problem)
        let more = smallestChange.steps.count - shown.count
        return "the release policy is not satisfied: " + shown.joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "")
    }

    package func isUnknowable(_ claim: String) -> Bool { unknowableClaims.contains { claim == $0 || claim.hasPrefix($0 + ".") } }
}
