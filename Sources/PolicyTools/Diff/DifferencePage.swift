internal import ReleasePolicy

extension PolicyDifference {
    /// One self-contained page, as `ReleaseExplanation.page` makes it. All text of the policies is escaped.
    package func page(old: String, new: String) -> [UInt8] {
        let title = kind == .releasePolicy ? "Release policies compared" : "Security policies compared"
        var html = HTMLPage(title: title)
        html.open("header")
        html.element("h1", title)
        let count = changes.count == 1 ? "1 difference" : "\(changes.count) differences"
        html.element(
            "p", areEqual ? "✓ EQUAL: both say the same" : "✗ DIFFERENT: \(count)", class: areEqual ? "verdict good" : "verdict bad")
        html.open("dl", class: "sources")
        for (label, value) in [("old", old), ("new", new)] {
            html.element("dt", label)
            html.element("dd", value)
        }
        html.close("dl")
        html.close("header")
        var places: [String] = []
        for change in changes where !places.contains(change.place) { places.append(change.place) }
        for place in places {
            html.open("section")
            html.element("h2", place)
            html.open("ul", class: "tree")
            for change in changes where change.place == place { row(change, into: &html) }
            html.close("ul")
            html.close("section")
        }
        return html.finished()
    }

    private func row(_ change: PolicyChange, into html: inout HTMLPage) {
        let mark = ["added": "+ added", "removed": "− removed", "changed": "~ changed"][change.kind] ?? change.kind
        html.open("li", class: change.kind)
        html.element("span", mark, class: "mark")
        html.open("dl", class: "detail")
        for (label, side) in [("old", change.old), ("new", change.new)] {
            guard let side else { continue }
            html.element("dt", label)
            html.open("dd")
            html.element("code", side.words)
            html.close("dd")
        }
        html.close("dl")
        html.close("li")
    }
}
