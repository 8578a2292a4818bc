import HTTPTransport
import Testing

@Suite("Dates of HTTP") struct HTTPDateTests {
    @Test("RFC 9110, section 5.6.7") func dates() {
        #expect(HTTPDate.text(secondsSince1970: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.text(secondsSince1970: 0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }
}
