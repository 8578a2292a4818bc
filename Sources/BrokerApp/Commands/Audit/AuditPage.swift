#if PolicyTools
    internal import BrokerObservability
    internal import PlainText
    internal import PolicyTools
    internal import StrictJSON

    /// The audit as a page that an auditor reads: who took which key, and every line with all that it says.
    enum AuditPage {
        static func page(_ lines: [AuditLine], of name: String) -> [UInt8] {
            var page = HTMLPage(title: "Audit \(name)")
            let requests = lines.filter { $0.event == nil }
            page.element("h1", "Audit \(VisibleText.line(name))")
            page.facts([
                ("lines", "\(lines.count)"), ("from", lines.first?.text("time") ?? "nothing"),
                ("to", lines.last?.text("time") ?? "nothing"),
                ("handed out", "\(requests.count { $0.text("outcome") == "ok" })"),
                ("refused or failed", "\(requests.count { $0.text("outcome") == "failed" })"),
            ])
            page.element("p", "This page shows lines and judges none: 'attestation-broker audit verify' says whether they are as written.")
            page.element("h2", "Keys and who took them")
            page.open("ul")
            for (text, count) in takers(requests) { page.element("li", "\(text) (\(count))") }
            page.close("ul")
            page.element("h2", "Lines")
            for line in lines { entry(line, &page) }
            return page.finished()
        }

        /// In the order of the first time.
        private static func takers(_ requests: [AuditLine]) -> [(text: String, count: Int)] {
            var order: [String] = []
            var counts: [String: Int] = [:]
            for line in requests where line.text("outcome") == "ok" && line.text("operation") == "release" {
                let who = AuditWords.uid(line).map { "uid \($0)" } ?? AuditWords.caller(line)
                let text = "\(line.text("key") ?? "?") by \(who)"
                if counts[text] == nil { order.append(text) }
                counts[text, default: 0] += 1
            }
            return order.map { ($0, counts[$0] ?? 0) }
        }

        private static func entry(_ line: AuditLine, _ page: inout HTMLPage) {
            let isGood = line.text("outcome") != "failed"
            page.open("details", class: isGood ? "entry good" : "entry bad")
            page.open("summary")
            page.element("span", isGood ? "ok" : "failed", class: "mark")
            page.element("span", AuditWords.line(line), class: "name")
            page.close("summary")
            var facts: [(label: String, value: String)] = []
            for (name, value) in line.content {
                let text =
                    switch value {
                    case .string(let text): text
                    case .integer(let number): "\(number)"
                    default: name == "caller" ? AuditWords.caller(line) : String(decoding: value.serialized(), as: UTF8.self)
                    }
                facts.append((name, VisibleText.line(text, limit: 1000)))
            }
            page.facts(facts + [("hash", line.hash)])
            page.close("details")
        }
    }
#endif
