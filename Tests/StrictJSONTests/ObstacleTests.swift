import StrictJSON
import Testing

@Suite("What keeps a person's text from being JSON") struct ObstacleTests {
    private static func complaint(_ bytes: [UInt8]) -> String {
        do {
            _ = try JSONValue.parse(written: bytes)
            return ""
        } catch { return error.description }
    }

    @Test(
        "is named with line and column",
        arguments: [
            ("// group\n{\"a\":1}", "line 1, column 1: a comment"), ("{\n  \"a\": 1, // why\n  \"b\": 2}", "line 2, column 11: a comment"),
            ("{\"a\":1 /* x */}", "line 1, column 8: a comment"), ("{\n# x\n\"a\":1}", "line 2, column 1: a comment"),
            ("{}\n// end", "line 2, column 1: a comment"),
            ("{\n  \"é\": \"china\",\n}", "line 2, column 15: a trailing comma, before the '}' of line 3"),
            ("[1, 2, ]", "line 1, column 6: a trailing comma, before the ']' of line 1"), ("{'a': 1}", "line 1, column 2: single quotes"),
            ("{\"a\": 'x'}", "line 1, column 7: single quotes"), ("{\"a\": “x”}", "typographic quotation marks"),
            ("{a: 1}", "line 1, column 2: a member name without quotation marks"), ("{\"a\": True}", "True as Python writes it"),
            ("{\"a\": None}", "None as Python"), ("[NaN]", "NaN"),
            ("{\"a\": \"x\ny\"}", "line 1, column 7: a string that does not end on its line"),
            ("a: 1\nb: 2\n", "line 1, column 1: this looks like YAML"), ("---\n- x", "this looks like YAML"),
            ("# c\nversion: 1.0.0", "this looks like YAML"),
            ("<html></html>", "this looks like HTML"), ("\u{FEFF}{}", "byte order mark"),
        ]) func named(_ text: String, _ words: String)
    { #expect(Self.complaint(Array(text.utf8)).contains(words), "\(text): \(Self.complaint(Array(text.utf8)))") }

    @Test("UTF-16 is named, with its mark and without") func utf16() {
        let wide = "{\"a\":1}".utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        for text in [[0xFF, 0xFE] + wide, wide, [0xFE, 0xFF, 0] + wide.dropLast()] { #expect(Self.complaint(text).contains("UTF-16")) }
    }

    @Test(
        "what has no such obstacle keeps its own words, with the column",
        arguments: [
            ("", "the document is empty"), ("{\"a\":1,\n\"a\":2}", "occurs twice"), ("{\"a\":1}\n{}", "line 2"),
            ("{\"a\":", "ends too early"),
            ("{\"a\": x}", "column 8: not valid JSON"), ("prose, and more", "expected an object or an array"),
            ("{\"a\":\"//\", \"b\":\"'#,]\"", "ends too early"),
        ]) func others(_ text: String, _ words: String)
    { #expect(Self.complaint(Array(text.utf8)).contains(words), "\(text): \(Self.complaint(Array(text.utf8)))") }

    @Test("JSON is read as ever, and no complaint quotes the text") func rest() throws {
        #expect(try JSONValue.parse(written: Array("{\"a\":[1,\"//\"]}".utf8)) == ["a": [1, "//"]])
        for text in ["{\"a\": hunter2}", "{hunter2: 1}", "{'hunter2': 1}", "{\"hunter2\": 1,}", "hunter2: 1"] {
            #expect(!Self.complaint(Array(text.utf8)).contains("hunter2"))
        }
        // One pass, whatever the text.
        #expect(!Self.complaint(Array(repeating: UInt8(ascii: "x"), count: 1 << 20)).isEmpty)
        #expect(!Self.complaint(Array(String(repeating: "word ", count: 200_000).utf8)).isEmpty)
    }
}
