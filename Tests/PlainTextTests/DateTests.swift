import PlainText
import Testing

@Suite("Dates") struct DateTests {
    @Test("of HTTP: RFC 9110, section 5.6.7") func http() {
        #expect(HTTPDate.text(secondsSince1970: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.text(secondsSince1970: 0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    @Test("what is written is read") func reading() {
        for seconds: Int64 in [0, 784_111_777, 951_782_400, 4_000_000_000] {
            #expect(HTTPDate.parse(HTTPDate.text(secondsSince1970: seconds)) == seconds)
        }
    }

    @Test(
        "what is no such date is none",
        arguments: [
            "", "120", "soon", "Sun, 06 Nov 1994 08:49:37 GMT x", "Sun, 06 Nov 1994 08:49:37 EST", "Mon, 06 Nov 1994 08:49:37 GMT",
            "Thu, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 99999999999 08:49", "Sun Nov  6 08:49:37 1994",
        ])
    func refused(text: String) { #expect(HTTPDate.parse(text) == nil) }

    @Test(
        "of RFC 3339",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (1_675_834_943, "2023-02-08T05:42:23Z"), (4_107_542_400, "2100-03-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"), (-62_167_219_200, "0000-01-01T00:00:00Z"), (Int64.max, "9223372036854775807"),
        ] as [(Int64, String)]) func times(seconds: Int64, text: String)
    { #expect(RFC3339.format(seconds) == text) }

    @Test("with a fraction") func fraction() { #expect(RFC3339.format(0, milliseconds: 7) == "1970-01-01T00:00:00.007Z") }
}
