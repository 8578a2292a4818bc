import Testing

@testable import BrokerHTTP

/// The words of Go's decoders, as `encoding/json` and `encoding/base64` print them for the same input.
struct GoWordsTests {
    @Test(arguments: [
        ("", GoJSONSyntax.Verdict.empty),
        (" \n\t\r ", .empty),
        ("{}", .valid),
        ("[1, 2]", .valid),
        (#"{"a":[{"b":null}],"c":-0.5e+10,"d":"\u00e9\n"}"#, .valid),
        // The decoder reads one value and leaves the rest alone.
        ("{} x", .valid),
        (#""text""#, .scalar(.string)),
        ("5", .scalar(.number)),
        ("-1.5 x", .scalar(.number)),
        ("true", .scalar(.bool)),
        ("null", .scalar(nil)),
        ("not json", .invalid("invalid character 'o' in literal null (expecting 'u')")),
        ("nope", .invalid("invalid character 'o' in literal null (expecting 'u')")),
        ("tru3", .invalid("invalid character '3' in literal true (expecting 'e')")),
        ("<html>", .invalid("invalid character '<' looking for beginning of value")),
        ("{", .invalid("unexpected EOF")),
        (#"{"a"#, .invalid("unexpected EOF")),
        (#"{"a":1"#, .invalid("unexpected EOF")),
        ("[1,", .invalid("unexpected EOF")),
        ("{a:1}", .invalid("invalid character 'a' looking for beginning of object key string")),
        (#"{"a" 1}"#, .invalid("invalid character '1' after object key")),
        (#"{"a":1 "b"}"#, .invalid(#"invalid character '"' after object key:value pair"#)),
        (#"{"a":1,}"#, .invalid("invalid character '}' looking for beginning of object key string")),
        ("[1 2]", .invalid("invalid character '2' after array element")),
        ("[1,]", .invalid("invalid character ']' looking for beginning of value")),
        ("[01]", .invalid("invalid character '1' after array element")),
        ("[1.]", .invalid("invalid character ']' after decimal point in numeric literal")),
        ("[1e]", .invalid("invalid character ']' in exponent of numeric literal")),
        ("[-]", .invalid("invalid character ']' in numeric literal")),
        ("[\"\n\"]", .invalid(#"invalid character '\n' in string literal"#)),
        ("[\"\u{1}\"]", .invalid(#"invalid character '\x01' in string literal"#)),
        (#"["\q"]"#, .invalid("invalid character 'q' in string escape code")),
        (#"["\u12g4"]"#, .invalid(#"invalid character 'g' in \u hexadecimal character escape"#)),
        ("'a'", .invalid(#"invalid character '\'' looking for beginning of value"#)),
        ("\u{FEFF}{}", .invalid("invalid character 'ï' looking for beginning of value")),
    ])
    func jsonSyntax(_ text: String, _ verdict: GoJSONSyntax.Verdict) {
        #expect(Array(text.utf8).withUnsafeBufferPointer { GoJSONSyntax.verdict(on: $0) } == verdict)
    }

    @Test func deepNestingIsReadWithoutRecursion() {
        let text = String(repeating: "[", count: 200_000)
        #expect(Array(text.utf8).withUnsafeBufferPointer { GoJSONSyntax.verdict(on: $0) } == .invalid("unexpected EOF"))
    }

    @Test(arguments: [
        ("***", 0), ("aGVsbG8", 4), ("a", 0), ("aGVs=", 4), ("aGVsb===", 5), ("aGVsbG8=x", 8), ("aGVsbG8==", 8),
        ("aGVsbA=", 7), ("aGVsbA=x", 6), ("aGVsbA==x", 8), ("aGVs*G8=", 4), ("a=Vs", 1),
    ])
    func base64Offsets(_ text: String, _ offset: Int) {
        #expect(throws: Refusal.base64(offset: offset)) { try RuntimeDataText.decode(text) }
    }

    @Test(arguments: [
        // Line breaks, unused bits that are set, a mixture of alphabets, no padding in the URL alphabet.
        "aGVs\nbG8=", "aGVsbG9=", "+_8=", "_-8", "",
    ])
    func base64ThatGoMightTakeIsRefused(_ text: String) {
        #expect(throws: Refusal.self) { try RuntimeDataText.decode(text) }
    }

    @Test func bothAlphabets() throws {
        #expect(try RuntimeDataText.decode("aGVsbG8=") == Array("hello".utf8))
        #expect(try RuntimeDataText.decode("+/8=") == [0xFB, 0xFF])
        #expect(try RuntimeDataText.decode("-_8=") == [0xFB, 0xFF])
    }

    @Test func statusPhrases() {
        #expect(CompatibleText.phrase(400) == "Bad Request")
        #expect(CompatibleText.phrase(413) == "Request Entity Too Large")
        #expect(CompatibleText.phrase(429) == "Too Many Requests")
        #expect(CompatibleText.phrase(503) == "Service Unavailable")
    }
}
