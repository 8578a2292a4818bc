import PolicyTools
import ReleasePolicy
import StrictJSON
import Testing

@Suite("The page") struct PageTests {
    static func page(_ policy: String, _ claims: String, issuer: String = ExplanationTests.issuer, title: String = "p") throws -> String {
        let explanation = try ExplanationTests.explain(policy, claims, issuer: issuer)
        return String(
            decoding: explanation.page(title: title, sources: [("policy", title)], claims: try claimsObject(claims)), as: UTF8.self)
    }

    @Test("nothing of policy or token becomes markup") func escaping() throws {
        let hostile = #"</code></li><script>alert(1)</script><img src=x onerror=alert(1)>&"'"#
        let token = JSONValue.object(["a": .string(hostile + "\u{202E}"), hostile: ["<b>": .string("\u{202E}")]])
        let condition = JSONValue.object(["claim": .string("a"), "equals": .string(hostile)])
        let page = try Self.page(
            policyText(String(decoding: condition.serialized(), as: UTF8.self), authority: "https://x/<b>"),
            String(decoding: token.serialized(), as: UTF8.self), issuer: "<i>\"", title: "<u>&")
        for text in ["<script", "<img", "<b>", "<i>", "<u>", "\u{202E}"] { #expect(!page.contains(text), "\(text)") }
        #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(page.contains("\\u{202e}"))
    }

    @Test("the page loads nothing and forbids loading") func selfContained() throws {
        let page = try Self.page(policyText(ExplanationTests.aci), ExplanationTests.goodToken)
        for text in ["src=", "href=", "url(", "@import", "<script", "<link", "<iframe", "<form", "javascript:"] {
            #expect(!page.contains(text), "\(text)")
        }
        #expect(page.contains("default-src 'none'"))
        #expect(!page.contains("unsafe-inline"))
    }

    @Test("the failing clause is marked in words, not only in colour") func marks() throws {
        let page = try Self.page(policyText(ExplanationTests.aci), ExplanationTests.goodToken.replacing("-uvm", with: "-cvm"))
        #expect(page.contains("✗ NOT SATISFIED"))
        let clauses = page.split(separator: "<li class=\"clause ").dropFirst()
        #expect(clauses.count == 4)
        let failing = clauses.filter { $0.contains("✗ FAIL") }
        #expect(failing.count == 1)
        #expect(failing[0].hasPrefix("bad\""))
        #expect(failing[0].contains("x-ms-compliance-status") && failing[0].contains("azure-compliant-cvm"))
        #expect(try Self.page(policyText(ExplanationTests.aci), ExplanationTests.goodToken).contains("✓ SATISFIED"))
    }

    @Test("a yes says what it rests on: the token's times, and that nobody looked at its signature") func premise() throws {
        let evaluated = try ExplanationTests.explain(policyText(ExplanationTests.aci), ExplanationTests.goodToken).outcome
        for (claims, isInForce, expires, words) in [
            (["exp": 100, "nbf": 50], true, 100, "it expires at 1970-01-01T00:01:40Z"),
            (["exp": 99.5], true, 99, "it expires at 1970-01-01T00:01:39Z"), (["exp": 70], false, 70, "it expired at 1970-01-01T00:01:10Z"),
            (["exp": 100, "nbf": 71], false, 100, "it is valid from 1970-01-01T00:01:11Z on"),
            ([:], false, nil, "does not say when it expires"),
            (["exp": "soon"], false, nil, "does not say when it expires"), (["exp": 1e300], false, nil, "does not say when it expires"),
        ] as [(JSONObject, Bool, Int64?, String)] {
            let premise = Premise.token(claims, at: 70)
            #expect(premise.isInForce == isInForce && premise.expires == expires)
            let explanation = ReleaseExplanation(evaluated, premise: premise)
            let page = String(decoding: explanation.page(title: "p"), as: UTF8.self)
            #expect(page.contains("✓ SATISFIED: would be released, if this token is genuine and in force"))
            #expect(page.contains("class=\"verdict \(isInForce ? "good" : "open")\""))
            for text in [page, explanation.text(), explanation.json()[pointer: "/meaning"]?.text ?? ""] {
                #expect(text.contains("its signature was not checked") && text.contains(words), "\(text)")
                #expect(!text.contains("the key is released"))
            }
        }
        // The broker verified its token.
        #expect(ReleaseExplanation(evaluated).text().contains("SATISFIED: the key is released to this token"))
        #expect(ReleaseExplanation(evaluated).json()[pointer: "/premise"] == .null)
        var stated = Premise.claims(["a": 1], at: 0)
        stated.assume("x\u{202E}")
        #expect(stated.isInForce == nil && stated.remarks.last == "x\\u{202e} is assumed, not attested")
    }

    @Test("every element that is opened is closed") func balance() throws {
        let policy = policyText(#"{"claim":"a","equals":"1"},{"anyOf":[{"claim":"b","equals":"1"},{"allOf":[{"claim":"c","less":1}]}]}"#)
        let page = try Self.page(policy, #"{"a":2}"#)
        var open: [Substring] = []
        for match in page.matches(of: #/<(/?)([a-z][a-z0-9]*)[^>]*>/#) where match.2 != "meta" {
            if match.1.isEmpty { open.append(match.2) } else { #expect(open.popLast() == match.2) }
        }
        #expect(open.isEmpty)
    }
}
