import PlainText
import Testing

@Suite("Text made safe to show") struct VisibleTextTests {
    @Test(
        "nothing moves a cursor, reverses the line or hides itself",
        arguments: [
            "\u{0}", "\u{1B}", "\n", "\u{7F}", "\u{85}", "\u{9B}", "\u{61C}", "\u{200B}", "\u{2028}", "\u{202E}", "\u{2066}", "\u{FEFF}",
            "\u{E0041}", "\u{E000}",
        ]
    ) func hidden(text: String) throws {
        let scalar = try #require(text.unicodeScalars.first)
        #expect(!scalar.isVisible)
        #expect(VisibleText.escaped("a\(text)b") == "a\\u{\(String(scalar.value, radix: 16))}b")
        #expect(VisibleText.line("a\(text)b") == "a?b")
    }

    @Test("what people write stays") func visible() {
        let text = "é漢😀 e\u{301}~"
        #expect(VisibleText.escaped(text) == text)
        #expect(VisibleText.quoted("a\"b") == #""a\"b""#)
    }

    @Test("long texts are cut") func long() {
        #expect(VisibleText.quoted(String(repeating: "x", count: 201)) == "\"" + String(repeating: "x", count: 200) + "…\"")
        #expect(VisibleText.line(String(repeating: "x", count: 121)) == String(repeating: "x", count: 120) + "…")
    }

    @Test("a service's words become one bounded line without tokens") func upstream() {
        #expect(UpstreamText.line("a\r\nb\u{1B}[2J eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln", limit: 100) == "a b [2J <token>")
        #expect(UpstreamText.line("abc", limit: 2) == "ab")
        #expect(UpstreamText.line("\n", limit: 2) == nil)
        #expect(UpstreamText.line(nil, limit: 2) == nil)
    }

    @Test("did you mean")
    func nearest() {
        #expect(NearestName.nearest(to: "tiemout", among: ["timeout", "time"]) == "timeout")
        #expect(NearestName.nearest(to: "LOG_LEVEL", among: ["log-level"]) == "log-level")
        #expect(NearestName.nearest(to: "xyz", among: ["abc"]) == nil)
    }
}
