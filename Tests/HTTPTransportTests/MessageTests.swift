import Waiting
import HTTPTransport
import SecureMemory
import Testing

@Suite struct MessageTests {
    @Test(arguments: [
        ("0", 0), ("7", 7), ("3600", 3600), ("3601", 3600), ("99999999999", 3600), ("-1", nil), ("soon", nil), ("", nil), ("1.5", nil),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("99999999999999999999999", nil),
    ]) func retryAfterIsBounded(text: String, seconds: Int?) {
        let response = HTTPResponse(status: 429, headers: [("retry-after", text)])
        #expect(response.retryAfter == seconds.map { .seconds($0) })
    }

    @Test("case 27: Retry-After as a date is a delay from the answer's own date") func retryAfterDate() {
        func delay(_ after: String, date: String? = "Sun, 06 Nov 1994 08:49:37 GMT") -> Duration? {
            HTTPResponse(status: 503, headers: [("retry-after", after)] + (date.map { [("date", $0)] } ?? [])).retryAfter
        }
        #expect(delay("Sun, 06 Nov 1994 08:50:07 GMT") == .seconds(30))
        #expect(delay("Sun, 06 Nov 1994 08:00:00 GMT") == .zero)
        #expect(delay("Mon, 07 Nov 1994 08:49:37 GMT") == .seconds(3600))
        #expect(delay("Sun, 06 Nov 1994 08:50:07 GMT", date: nil) == .zero)
        #expect(delay("30") == .seconds(30) && delay("-5") == nil && delay("60, 90") == nil)
    }

    @Test func theFirstFieldOfANameCounts() {
        let response = HTTPResponse(status: 200, headers: [("a", "1"), ("b", "2"), ("a", "3")])
        #expect(response.header("a") == "1")
        #expect(response.header("c") == nil)
    }

    @Test func aBearerIsNotPrinted() throws {
        let request = HTTPRequest(
            .get, .service(try Endpoint("a.example")), path: "/", bearer: Redacted("hunter2"), deadline: .after(.seconds(1)))
        var dumped = ""
        dump(request, to: &dumped)
        #expect(!"\(request)".contains("hunter2"))
        #expect(!dumped.contains("hunter2"))
        #expect(request.bearer?.reveal() == "hunter2")
    }

    @Test func deadlinesPassAndAreCapped() {
        #expect(Deadline.after(.seconds(-1)).hasPassed)
        #expect(Deadline.after(.seconds(-1)).remaining == .zero)
        let late = Deadline.after(.seconds(3600))
        #expect(!late.hasPassed)
        #expect(late.capped(at: .seconds(10)).remaining <= .seconds(10))
        #expect(late.capped(at: .seconds(7200)) == late)
    }

    @Test func errorsAreSentences() {
        #expect("\(HTTPTransportError.responseTooLarge(limit: 5))" == "the answer is longer than 5 bytes")
        #expect("\(HTTPTransportError.nameNotResolved(host: "a.example"))" == "the name a.example cannot be resolved")
    }
}
