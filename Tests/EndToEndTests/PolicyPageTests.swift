import Foundation
import Testing

/// `policy explain --html` in a browser.
@Suite(.enabled(if: Chromium.isInstalled, "no Chromium is installed (Debian package chromium)"), .serialized) struct PolicyPageTests {
    /// The colour of what fails, in the page's own style sheet.
    static let failing: UInt32 = 0xB0_0020

    static func page(_ changes: [String: Any]) throws -> Data {
        let result = try Program.run(
            ["policy", "explain", "--policy", PolicyCommandTests.policyFile("confidential-aci"), "--claims", "-", "--html", "-"],
            input: try PolicyCommandTests.claims(changes))
        #expect(result.status == (changes.isEmpty ? 0 : 1), "\(result.errors)")
        return result.output
    }

    @Test("the page opens without a request and without a word on the console, and the failing clause is marked") func opens() throws {
        let bad = try Chromium.visit(Self.page(["x-ms-sevsnpvm-hostdata": String(repeating: "ab", count: 32)]))
        #expect(bad.requests == [])
        #expect(bad.console == [])
        // A frame two pixels wide around one clause, and the words in it.
        #expect(bad.screenshot.count(of: Self.failing) > 3_000)
        let good = try Chromium.visit(Self.page([:]))
        #expect(good.requests == [] && good.console == [])
        #expect(good.screenshot.count(of: Self.failing) == 0)
        try Self.keep(bad, "policy-explain")
    }

    /// Leaves the picture beside the program, for whoever wants to look.
    static func keep(_ visit: Chromium.Visit, _ name: String) throws {
        try visit.file.write(to: Program.executable.deletingLastPathComponent().appending(path: "\(name).png"))
    }

    @Test("the page fits a telephone, with names and values that are long and deep", arguments: [400, 1100]) func fits(_ width: Int) throws
    {
        let long = String(repeating: "W", count: 3000)
        let deep =
            #"{"anyOf":["# + String(repeating: #"{"allOf":[{"claim":"a","equals":"1"},{"anyOf":["#, count: 4)
            + #"{"claim":"\#(long)","equals":"\#(long)"}"# + String(repeating: "]}]}", count: 4) + "]}"
        let policy = #"{"version":"1.0.0","anyOf":[{"authority":"https://\#(long)","allOf":[\#(deep)]}]}"#
        let scratch = try Scratch()
        defer { scratch.remove() }
        let result = try Program.run(
            ["policy", "explain", "--policy", scratch.write("p.json", policy), "--claims", "-", "--html", "-"],
            input: Data(#"{"iss":"https://x","\#(long)":"\#(long)","a":2}"#.utf8))
        #expect(result.status == 1, "\(result.errors.prefix(500))")
        for page in [result.output, try Self.page(["x-ms-sevsnpvm-hostdata": String(repeating: "ab", count: 32)])] {
            #expect(try #require(try Chromium.contentWidth(page, at: width)) <= width)
        }
        let visit = try Chromium.visit(try Self.page(["x-ms-compliance-status": "x"]), width: width)
        #expect(visit.requests == [] && visit.console == [])
        try Self.keep(visit, "policy-explain-\(width)")
    }

    @Test("the measurement would have told: content that is too wide is noticed") func wide() throws {
        let page = Data("<!DOCTYPE html><title>x</title><body style='margin:0'><div style='width:700px'>x</div>".utf8)
        #expect(try Chromium.contentWidth(page, at: 400) == 700)
    }

    @Test("hostile claims stay text in a real browser") func hostile() throws {
        let visit = try Chromium.visit(
            Self.page([
                "<img src=http://127.0.0.1:9/z onerror=console.log(2)>": "<script>console.log(3)</script>",
                "x-ms-sevsnpvm-hostdata":
                    #""><img src="http://127.0.0.1:9/x"><script>console.log(1)</script><style>@import url(http://127.0.0.1:9/y)</style>"#,
            ]))
        #expect(visit.requests == [])
        #expect(visit.console == [])
    }

    @Test("the browser would have told: a page with an image and a script is noticed") func control() throws {
        let visit = try Chromium.visit(
            Data("<!DOCTYPE html><title>x</title><img src='http://127.0.0.1:9/x'><script>console.log('hello')</script>".utf8))
        #expect(visit.requests.contains { $0.hasPrefix("http://127.0.0.1:9/") })
        #expect(visit.console.contains { $0.contains("hello") })
    }
}
