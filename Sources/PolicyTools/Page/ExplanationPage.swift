internal import AttestationTokens
internal import PlainText
internal import ReleasePolicy
package import StrictJSON

extension ReleaseExplanation {
    /// One self-contained page: no script, no link, no image, and a content security policy that forbids all of them. Readable without
    /// colour and on paper.
    ///
    /// `sources` are lines for its head such as ("policy", "release.json"), `claims` what was evaluated. All of it is escaped.
    package func page(title: String, sources: [(label: String, value: String)] = [], claims: JSONObject? = nil) -> [UInt8] {
        var html = HTMLPage(title: title)
        html.open("header")
        html.element("h1", title)
        writeVerdict(into: &html)
        html.facts(sources + [("issuer", outcome.issuer.isEmpty ? "(none)" : VisibleText.shortened(outcome.issuer))])
        html.close("header")
        writeTree(into: &html)
        if let claims { Self.claims(claims, into: &html) }
        return html.finished()
    }

    /// The verdict with what it rests on.
    package func writeVerdict(into html: inout HTMLPage) {
        let (mark, kind) =
            switch verdict {
            case "satisfied": ("✓ SATISFIED", premise?.isInForce == false ? "open" : "good")
            case "undecided": ("? UNDECIDED", "bad")
            default: ("✗ NOT SATISFIED", "bad")
            }
        html.open("div", class: "verdict \(kind)")
        html.element("p", "\(mark): \(meaning[0])")
        for remark in meaning.dropFirst() { html.element("p", remark, class: "remark") }
        html.close("div")
    }

    /// The smallest change, and each authority with its conditions.
    package func writeTree(into html: inout HTMLPage) {
        if let smallestChange { change(smallestChange, into: &html) }
        html.open("section")
        html.element("h2", outcome.authorities.count == 1 ? "The authority" : "Authorities, the nearest first")
        for (index, entry) in outcome.authorities.enumerated() { authority(entry, isNearest: index == 0, into: &html) }
        html.close("section")
    }

    private static func claims(_ claims: JSONObject, into html: inout HTMLPage) {
        html.open("section")
        html.element("h2", "The claims")
        html.open("ul", class: "claims")
        for line in ShownClaims.lines(claims, time: RFC3339.format) {
            html.open("li")
            html.element("code", line)
            html.close("li")
        }
        html.close("ul")
        html.close("section")
    }

    private func change(_ change: SmallestChange, into html: inout HTMLPage) {
        html.open("section", class: "change")
        html.element("h2", "Smallest change")
        html.element("p", "For the authority \(VisibleText.shortened(change.authority)):")
        html.open("ol")
        for step in change.steps {
            html.open("li")
            html.element("p", step.problem)
            if isUnknowable(step.claim) {
                html.element("p", "Only the authority knows this claim; it cannot be derived from the evidence here.")
            }
            let ways = [("Deployment", step.deployment), ("Policy", step.policy)].filter { $0.1 != nil }
            if !ways.isEmpty {
                html.open("ul")
                for (label, words) in ways { html.element("li", "\(label): \(words ?? "")") }
                html.close("ul")
            }
            html.close("li")
        }
        html.close("ol")
        html.close("section")
    }

    private func authority(_ entry: AuthorityOutcome, isNearest: Bool, into html: inout HTMLPage) {
        html.open("details", class: entry.isSatisfied ? "entry good" : "entry bad", attributes: isNearest ? " open" : "")
        html.open("summary")
        html.element("span", entry.isSatisfied ? "✓ MATCHED" : "✗ FAILED", class: "mark")
        html.element("span", VisibleText.shortened(entry.authority), class: "name")
        html.element("code", entry.pointer, class: "pointer")
        html.close("summary")
        html.open("ul", class: "tree")
        row(entry.match == .exact, "issuer", words: issuerWords(entry), into: &html)
        group(entry.conditions, into: &html)
        html.close("ul")
        html.close("details")
    }

    private func row(_ isGood: Bool, _ name: String, words: String, into html: inout HTMLPage) {
        html.open("li", class: isGood ? "good" : "bad")
        html.element("span", isGood ? "✓ ok" : "✗ FAIL", class: "mark")
        html.element("span", name, class: "name")
        html.element("span", words, class: "why")
        html.close("li")
    }

    private func group(_ group: GroupOutcome, into html: inout HTMLPage) {
        html.open("li", class: group.isSatisfied ? "good" : "bad")
        html.element("span", group.isSatisfied ? "✓ ok" : "✗ FAIL", class: "mark")
        html.element("span", group.join == .all ? "all of these" : "at least one of these", class: "join")
        html.element("code", group.pointer, class: "pointer")
        html.open("ul", class: "tree")
        for condition in group.conditions {
            switch condition {
            case .group(let nested): self.group(nested, into: &html)
            case .claim(let claim): self.claim(claim, into: &html)
            }
        }
        html.close("ul")
        html.close("li")
    }

    private func claim(_ claim: ClaimOutcome, into html: inout HTMLPage) {
        html.open("li", class: claim.isSatisfied ? "clause good" : "clause bad")
        html.element("span", claim.isSatisfied ? "✓ ok" : "✗ FAIL", class: "mark")
        html.element("span", VisibleText.shortened(claim.claim), class: "name")
        html.element("span", ReasonWords.words(claim.operator), class: "operator")
        if claim.isSatisfied {
            html.element("code", VisibleText.value(claim.wanted), class: "value")
        } else {
            html.open("dl", class: "detail")
            for (label, value) in [
                ("wanted", VisibleText.value(claim.wanted)), ("found", claim.actual.map(VisibleText.value) ?? "nothing"),
            ] {
                html.element("dt", label)
                html.open("dd")
                html.element("code", value)
                html.close("dd")
            }
            html.element("dt", "why")
            html.element("dd", "\(ReasonWords.words(claim)) (\(claim.reason.rawValue))")
            html.element("dt", "where")
            html.open("dd")
            html.element("code", claim.pointer)
            html.close("dd")
            html.close("dl")
        }
        html.close("li")
    }
}
