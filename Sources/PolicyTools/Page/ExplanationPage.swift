internal import OpenSSLCrypto
internal import PlainText
internal import ReleasePolicy
internal import StrictJSON

extension ReleaseExplanation {
    /// One self-contained page: no script, no link, no image, and a content security policy that forbids all of them. Readable without
    /// colour and on paper.
    ///
    /// `sources` are lines for its head such as ("policy", "release.json"). Their text is escaped like everything else.
    package func page(title: String, sources: [(label: String, value: String)] = []) -> [UInt8] {
        var html = HTMLPage(title: title)
        html.open("header")
        html.element("h1", title)
        html.element("p", verdictWords, class: isSatisfied ? "verdict good" : "verdict bad")
        html.open("dl", class: "sources")
        for source in sources + [("issuer", outcome.issuer.isEmpty ? "(none)" : VisibleText.shortened(outcome.issuer))] {
            html.element("dt", source.label)
            html.element("dd", source.value)
        }
        html.close("dl")
        html.close("header")
        if let smallestChange { change(smallestChange, into: &html) }
        html.open("section")
        html.element("h2", outcome.authorities.count == 1 ? "The authority" : "Authorities, the nearest first")
        for (index, entry) in outcome.authorities.enumerated() { authority(entry, isNearest: index == 0, into: &html) }
        html.close("section")
        return html.finished()
    }

    private var verdictWords: String {
        switch verdict {
        case "satisfied": "✓ SATISFIED: the key is released to this token"
        case "undecided": "? UNDECIDED: it depends on what only the authority can say"
        default: "✗ NOT SATISFIED: the key is not released to this token"
        }
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

/// Writes a page. Element names, classes and attributes are this file's own; everything else is escaped.
struct HTMLPage {
    private var text = ""

    init(title: String) {
        let hash = Base64.encode(DigestAlgorithm.sha256.digest(Array(Self.style.utf8)))
        text = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-\(hash)'; base-uri 'none'; \
            form-action 'none'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <title>\(HTMLText.escaped(title))</title>
            <style>\(Self.style)</style>
            </head>
            <body>

            """
    }

    mutating func open(_ name: String, class className: String = "", attributes: String = "") {
        text += "<\(name)" + (className.isEmpty ? "" : " class=\"\(className)\"") + attributes + ">"
        if name == "ul" || name == "ol" || name == "section" || name == "header" { text += "\n" }
    }

    mutating func close(_ name: String) { text += "</\(name)>\n" }

    mutating func element(_ name: String, _ content: String, class className: String = "") {
        open(name, class: className)
        text += HTMLText.escaped(content) + "</\(name)>\n"
    }

    func finished() -> [UInt8] { Array((text + "</body>\n</html>\n").utf8) }

    /// Words and symbols carry the meaning; colour only repeats it.
    private static let style = """
        :root{--good:#0a6b2d;--bad:#b00020;--line:#8884;--soft:#8881}
        @media (prefers-color-scheme:dark){:root{--good:#6fdc8c;--bad:#ff8389}}
        body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:0 auto;padding:1.5rem}
        h1{font-size:1.4rem;margin:0 0 .5rem}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}p{margin:.3rem 0}
        .verdict{font-weight:700;font-size:1.15rem;padding:.6rem .9rem;border:2px solid;border-radius:.4rem}
        .good>.mark,.verdict.good{color:var(--good)}.bad>.mark,.verdict.bad{color:var(--bad)}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .9rem;margin:.4rem 0}
        dt{opacity:.75}dd{margin:0;overflow-wrap:anywhere}
        code{font:.9em ui-monospace,monospace;background:var(--soft);padding:.05em .3em;border-radius:.2em;overflow-wrap:anywhere}
        .pointer{opacity:.75;font-size:.8em}
        details.entry{border:1px solid var(--line);border-radius:.4rem;margin:.6rem 0;padding:.4rem .8rem}
        details.bad{border-left:.4rem double var(--bad)}details.good{border-left:.4rem solid var(--good)}
        summary{cursor:pointer;padding:.2rem 0}summary>.mark{font-weight:700}
        .entry.good>summary>.mark{color:var(--good)}.entry.bad>summary>.mark{color:var(--bad)}
        ul.tree{list-style:none;margin:.2rem 0;padding-left:1.2rem;border-left:1px solid var(--line)}
        ul.tree>li{margin:.25rem 0}.mark{display:inline-block;min-width:4.6em;font-weight:700}
        .name{font-weight:600;overflow-wrap:anywhere;margin-right:.5em}.why,.join,.operator{margin-right:.5em}
        li.clause.bad{border:2px solid var(--bad);border-radius:.4rem;padding:.4rem .7rem}
        li.clause.bad>.name{text-decoration:underline;text-decoration-style:wavy;text-underline-offset:.25em}
        .change{border:1px solid var(--line);border-radius:.4rem;padding:.1rem 1rem .6rem}
        @media print{details>*{display:block}body{max-width:none}}
        """
}
