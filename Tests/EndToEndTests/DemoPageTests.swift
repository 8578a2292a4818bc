import Foundation
import Testing

/// `demo --html`, as text and in a browser.
@Suite(.serialized) struct DemoPageTests {
    static let page = Result { () throws -> Data in
        let result = try Program.run(["demo", "--html", "-"])
        guard result.status == 0 else { throw RunningProgram.Ended(output: result.text + result.errors) }
        return result.output
    }

    @Test("the page tells every message, the chain of trust and the denial, and no secret") func content() throws {
        let text = String(decoding: try Self.page.get(), as: UTF8.self)
        for words in [
            "The messages", "POST /attest/SevSnpVm", "PUT /keys/demo-rsa", "POST /key/release", "answered 403", "Key Vault, contoso",
            "authorization: Bearer (cut, ", "The chain of trust", "ARK-Milan", "the report&#39;s signature is the leaf&#39;s",
            "The denial", "NOT SATISFIED", "x-ms-sevsnpvm-is-debuggable",
        ] {
            #expect(text.contains(words), "\(words)")
        }
        #expect(!text.contains("FAIL</span><span class=\"name\">the report"))
        #expect(text.contains("{\n  &quot;kid&quot;: &quot;demo-rsa&quot;\n}") && !text.contains("\\u{"))
        // No token, no header of one, no private member of a key, nothing long enough to be either.
        #expect(!text.contains("eyJ"))
        for name in ["d", "p", "q", "dp", "dq", "qi", "k", "access_token"] {
            for match in try text.matches(of: Regex(#"&quot;\#(name)&quot;: ?&quot;([^&]*)&quot;"#, as: (Substring, Substring).self)) {
                #expect(match.1.hasPrefix("(cut, "), "\(name)")
            }
        }
        #expect(text.contains("&quot;d&quot;") && text.contains("&quot;k&quot;"))
        let unbroken = text.split { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "_" }.filter { $0.count > 100 }
        #expect(unbroken.allSatisfy { $0.allSatisfy(\.isHexDigit) }, "\(unbroken)")
        for text in ["src=", "href=", "url(", "@import", "<script", "<link"] {
            #expect(!String(decoding: try Self.page.get(), as: UTF8.self).contains(text))
        }
    }

    @Test(
        "the page opens without a request and without a word on the console, and fits", .enabled(if: Chromium.isInstalled, "no Chromium"),
        arguments: [400, 1100]) func opens(_ width: Int) throws
    {
        let page = try Self.page.get()
        let visit = try Chromium.visit(page, width: width, height: 4000)
        #expect(visit.requests == [] && visit.console == [])
        #expect(visit.screenshot.width == width)
        #expect(try #require(try Chromium.contentWidth(page, at: width)) <= width)
        try PolicyPageTests.keep(visit, "demo-\(width)")
    }

    @Test("the page goes to a file beside the text, and not to a place that is not there") func files() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = scratch.directory.appending(path: "demo.html")
        let result = try Program.run(["demo", "--html", file.path])
        #expect(result.status == 0 && result.text.contains("All steps went as told"), "\(result.errors)")
        #expect(try Data(contentsOf: file).starts(with: Data("<!DOCTYPE html>".utf8)))
        let nowhere = try Program.run(["demo", "--html", scratch.directory.appending(path: "none/demo.html").path])
        #expect(nowhere.status == 2 && nowhere.errors.contains("No such file"))
        #expect(try Program.run(["demo", "--html", "-", "--json"]).status == 64)
    }
}
