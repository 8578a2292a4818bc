internal import OpenSSLCrypto

/// Writes a self-contained page: no script, no link, no image, and a content security policy that forbids all of them. Names of elements,
/// their classes and attributes are the writer's own and must not come from outside; everything else is escaped.
package struct HTMLPage {
    private var text = ""

    package init(title: String) {
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

    package mutating func open(_ name: String, class className: String = "", attributes: String = "") {
        text += "<\(name)" + (className.isEmpty ? "" : " class=\"\(className)\"") + attributes + ">"
        if name == "ul" || name == "ol" || name == "section" || name == "header" { text += "\n" }
    }

    package mutating func close(_ name: String) { text += "</\(name)>\n" }

    package mutating func element(_ name: String, _ content: String, class className: String = "") {
        open(name, class: className)
        text += HTMLText.escaped(content) + "</\(name)>\n"
    }

    /// Names with their values.
    package mutating func facts(_ facts: [(label: String, value: String)]) {
        open("dl")
        for fact in facts {
            element("dt", fact.label)
            element("dd", fact.value)
        }
        close("dl")
    }

    /// Lines whose spaces count.
    package mutating func preformatted(_ lines: [String]) {
        open("pre")
        text += lines.map(HTMLText.escaped).joined(separator: "\n")
        close("pre")
    }

    package func finished() -> [UInt8] { Array((text + "</body>\n</html>\n").utf8) }

    /// Words and symbols carry the meaning; colour only repeats it.
    private static let style = """
        :root{--good:#0a6b2d;--bad:#b00020;--line:#8884;--soft:#8881}
        @media (prefers-color-scheme:dark){:root{--good:#6fdc8c;--bad:#ff8389}}
        body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:0 auto;padding:1.5rem;overflow-wrap:anywhere}
        h1{font-size:1.4rem;margin:0 0 .5rem}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}p{margin:.3rem 0}
        .verdict{padding:.6rem .9rem;border:2px solid;border-radius:.4rem}.verdict.open{border-style:dashed}
        .verdict>p:first-child{font-weight:700;font-size:1.15rem}
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
        ul.claims{list-style:none;padding:0}ul.claims code{background:none;padding:0}
        .change{border:1px solid var(--line);border-radius:.4rem;padding:.1rem 1rem .6rem}
        h3{font-size:1rem;margin:0 0 .3rem}.step{border-top:1px solid var(--line);padding:.7rem 0}.remark{opacity:.75}
        details.message{border-left:.25rem solid var(--line);margin:.3rem 0;padding:.1rem .7rem}.answered{font-weight:600;margin-left:.5em}
        pre{font:.85em ui-monospace,monospace;background:var(--soft);padding:.5rem .7rem;margin:.2rem 0;border-radius:.2em}
        pre{white-space:pre-wrap}ol.chain>li{margin:.6rem 0}
        @media(max-width:36rem){body{padding:.8rem}dl{grid-template-columns:minmax(0,1fr);gap:0}dt{margin-top:.3rem}
        ul.tree{padding-left:.6rem}ul.tree ul.tree ul.tree ul.tree{padding-left:.2rem}}
        @media print{details>*{display:block}body{max-width:none}}
        """
}
