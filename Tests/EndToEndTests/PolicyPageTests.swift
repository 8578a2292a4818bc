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
        // Kept beside the program for whoever wants to look.
        let picture = Program.executable.deletingLastPathComponent().appending(path: "policy-explain.png")
        try bad.file.write(to: picture)
    }

    @Test("hostile claims stay text in a real browser") func hostile() throws {
        let visit = try Chromium.visit(
            Self.page([
                "x-ms-sevsnpvm-hostdata":
                    #""><img src="http://127.0.0.1:9/x"><script>console.log(1)</script><style>@import url(http://127.0.0.1:9/y)</style>"#
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
