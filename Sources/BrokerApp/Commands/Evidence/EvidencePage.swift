#if PolicyTools
    internal import PlainText
    internal import PolicyTools
    internal import SNPVerification

    extension EvidenceVerdict {
        /// One self-contained page, as those of 'policy explain' are.
        func page() -> [UInt8] {
            var html = HTMLPage(title: "attestation-broker evidence verify")
            html.open("header")
            html.element("h1", "Evidence: \(verdict.rawValue)")
            html.element(
                "p", (verdict == .verified ? "✓ " : "✗ ") + "\(verdict.rawValue): \(summary)",
                class: verdict == .verified ? "verdict good" : "verdict bad")
            html.close("header")
            section("Left out", leftOut, into: &html)
            html.open("section")
            html.element("h2", "Checks")
            html.open("ul", class: "tree")
            for check in checks {
                html.open("li", class: check.ok ? "good" : "bad")
                html.element("span", check.ok ? "✓ ok" : "✗ FAILED", class: "mark")
                html.element("span", check.ok ? CheckWords.holding(check) ?? check.code : check.code, class: "name")
                html.element("span", check.detail, class: "why")
                html.close("li")
            }
            html.close("ul")
            html.close("section")
            section("Not checked", notChecked, into: &html)
            return html.finished()
        }

        private func section(_ title: String, _ omissions: [Omission], into html: inout HTMLPage) {
            guard !omissions.isEmpty else { return }
            html.open("section")
            html.element("h2", title)
            html.open("ul")
            for omission in omissions { html.element("li", "\(omission.code): \(omission.detail)") }
            html.close("ul")
            html.close("section")
        }
    }
#endif
