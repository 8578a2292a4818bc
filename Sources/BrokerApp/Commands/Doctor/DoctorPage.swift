#if PolicyTools
    internal import BrokerCore
    internal import PolicyTools

    extension DoctorReport {
        /// One self-contained page, as those of 'policy explain' are.
        func page() -> [UInt8] {
            var html = HTMLPage(title: "attestation-broker doctor")
            html.open("header")
            html.element("h1", "attestation-broker doctor")
            html.element("p", first == nil ? "✓ \(summary)" : "✗ \(summary)", class: first == nil ? "verdict good" : "verdict bad")
            html.open("p")
            for (index, (link, state)) in shownChain.enumerated() {
                if index > 0 { html.element("span", " → ") }
                html.element("span", link.rawValue, class: "name")
                html.element("code", words(link, state))
            }
            html.close("p")
            html.close("header")
            if let first {
                html.open("section", class: "change")
                html.element("h2", "First fix this")
                html.element("p", "\(first.finding.subject): \(first.finding.text)")
                html.open("ol")
                for step in first.finding.nextSteps { html.element("li", step) }
                html.close("ol")
                html.close("section")
            }
            for link in ReleaseLink.allCases {
                let own = entries.filter { $0.link == link }
                guard !own.isEmpty else { continue }
                html.open("section")
                html.element("h2", link.rawValue)
                html.open("ul", class: "tree")
                for entry in own { row(entry, into: &html) }
                html.close("ul")
                html.close("section")
            }
            return html.finished()
        }

        private func row(_ entry: Entry, into html: inout HTMLPage) {
            let (name, mark) =
                switch entry.verdict {
                case .ok: ("good", "✓ ok")
                case .warning: ("", "! warning")
                case .problem: ("bad", "✗ PROBLEM")
                case .consequence: ("", "… follows")
                }
            html.open("li", class: name)
            html.element("span", mark, class: "mark")
            html.element("span", entry.finding.subject, class: "name")
            html.element("span", entry.finding.text, class: "why")
            if let follows = entry.follows {
                html.element("p", "Follows from: \(follows)")
            } else if !entry.finding.nextSteps.isEmpty {
                html.open("ul")
                for step in entry.finding.nextSteps { html.element("li", step) }
                html.close("ul")
            }
            html.close("li")
        }
    }
#endif
