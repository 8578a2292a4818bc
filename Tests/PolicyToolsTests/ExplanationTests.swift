import PolicyTools
import ReleasePolicy
import StrictJSON
import Testing

@Suite("Explanations") struct ExplanationTests {
    static let issuer = "https://sharedneu.neu.attest.azure.net"
    static let aci = """
        {"claim":"x-ms-attestation-type","equals":"sevsnpvm"},
        {"claim":"x-ms-compliance-status","equals":"azure-compliant-uvm"},
        {"claim":"x-ms-sevsnpvm-hostdata","equals":"d14f98512e78574d68e04dabc7d462f41d9d7aaa4e47fef658a8df935e151844"},
        {"claim":"x-ms-sevsnpvm-is-debuggable","equals":"false"}
        """
    static let goodToken = """
        {"x-ms-attestation-type":"sevsnpvm","x-ms-compliance-status":"azure-compliant-uvm",
         "x-ms-sevsnpvm-hostdata":"d14f98512e78574d68e04dabc7d462f41d9d7aaa4e47fef658a8df935e151844",
         "x-ms-sevsnpvm-is-debuggable":false}
        """

    static func explain(_ policy: String, _ claims: String, issuer: String = issuer, unknowable: [String] = []) throws -> ReleaseExplanation
    {
        let claims = try claimsObject(claims)
        return ReleaseExplanation(
            try ReleasePolicy(text: policy).evaluate(claims: claims, issuer: issuer), claims: claims, unknowableClaims: unknowable)
    }

    @Test("a satisfied policy says so and suggests nothing") func satisfied() throws {
        let explanation = try Self.explain(policyText(Self.aci), Self.goodToken)
        #expect(explanation.isSatisfied)
        #expect(explanation.verdict == "satisfied")
        #expect(explanation.smallestChange == nil)
        #expect(explanation.summary.contains("is satisfied"))
        let text = explanation.text()
        #expect(text.hasPrefix("SATISFIED"))
        #expect(!text.contains("FAIL"))
        #expect(explanation.json()[pointer: "/smallest_change"] == .null)
    }

    @Test("a wrong host data is named with wanted, found and a way out, in every form") func wrongHostData() throws {
        let other = String(repeating: "73", count: 32)
        let token = Self.goodToken.replacing("d14f98512e78574d68e04dabc7d462f41d9d7aaa4e47fef658a8df935e151844", with: other)
        let explanation = try Self.explain(policyText(Self.aci), token)
        #expect(explanation.verdict == "not-satisfied")
        for text in [explanation.summary, explanation.text()] {
            #expect(text.contains("x-ms-sevsnpvm-hostdata"))
            #expect(text.contains("\"\(other)\""))
            #expect(text.contains("\"d14f98512e78574d68e04dabc7d462f41d9d7aaa4e47fef658a8df935e151844\""))
            #expect(text.contains("different-value"))
        }
        #expect(!explanation.summary.contains("\n"))
        let change = try #require(explanation.smallestChange)
        #expect(change.steps.map(\.pointer) == ["/anyOf/0/allOf/2"])
        #expect(change.steps[0].deployment?.contains("policy digest") == true)
        #expect(change.steps[0].policy?.contains("anyOf of the old and the new") == true)
        let json = explanation.json()
        let leaf = json[pointer: "/authorities/0/conditions/conditions/2"]
        #expect(leaf?[pointer: "/claim"] == "x-ms-sevsnpvm-hostdata")
        #expect(leaf?[pointer: "/actual"] == .string(other))
        #expect(leaf?[pointer: "/satisfied"] == false)
        #expect(leaf?[pointer: "/reason"] == "different-value")
        #expect(json[pointer: "/smallest_change/steps/0/policy_edit/pointer"] == "/anyOf/0/allOf/2/equals")
    }

    @Test("nobody is told to admit a guest whose memory its host can read") func debuggable() throws {
        let explanation = try Self.explain(policyText(Self.aci), Self.goodToken.replacing("false", with: "true"))
        let step = try #require(explanation.smallestChange?.steps.first)
        #expect(step.edit == nil)
        #expect(step.policy == "the policy is right: do not change it")
        #expect(step.deployment?.contains("without the debug bit") == true)
    }

    @Test("a claim that is there under the name of the other kind of token") func otherStyle() throws {
        let nested = #"{"x-ms-isolation-tee":{"x-ms-compliance-status":"azure-compliant-cvm"}}"#
        let condition = #"{"claim":"x-ms-compliance-status","equals":"azure-compliant-cvm"}"#
        let explanation = try Self.explain(policyText(condition), nested)
        let step = try #require(explanation.smallestChange?.steps.first)
        #expect(step.edit?.pointer == "/anyOf/0/allOf/0/claim")
        #expect(step.edit?.value == "x-ms-isolation-tee.x-ms-compliance-status")
        #expect(step.edit?.isWeakening == false)
        // The other name would not hold either, so nothing is claimed about it.
        let wrong = try Self.explain(policyText(condition), nested.replacing("-cvm", with: "-uvm"))
        #expect(wrong.smallestChange?.steps.first?.edit == nil)
    }

    @Test("the authority with the fewest changes is chosen, not merely the first") func fewestChanges() throws {
        let policy = """
            {"version":"1.0.0","anyOf":[
              {"authority":"\(Self.issuer)","allOf":[{"claim":"a","equals":"1"},{"claim":"b","equals":"1"}]},
              {"authority":"https://sharedweu.weu.attest.azure.net","allOf":[{"claim":"a","equals":"2"}]}]}
            """
        let change = try #require(try Self.explain(policy, #"{"a":2,"b":2}"#).smallestChange)
        #expect(change.pointer == "/anyOf/1")
        #expect(change.steps.map(\.claim) == ["iss"])
        #expect(change.steps[0].reason == "not-an-authority")
        #expect(change.steps[0].edit?.isWeakening == true)
    }

    @Test("an issuer that differs by a slash, and no issuer at all") func issuers() throws {
        let slash = try Self.explain(policyText(Self.aci), Self.goodToken, issuer: Self.issuer + "/")
        let step = try #require(slash.smallestChange?.steps.first)
        #expect(step.reason == "differs-by-trailing-slash")
        #expect(step.edit?.pointer == "/anyOf/0/authority")
        #expect(step.edit?.value == .string(Self.issuer + "/"))
        #expect(step.edit?.isWeakening == false)
        #expect(slash.text().contains("slash"))
        let none = try Self.explain(policyText(Self.aci), Self.goodToken, issuer: "")
        #expect(none.smallestChange?.steps.first?.problem == "the token names no issuer (iss)")
        #expect(none.smallestChange?.steps.first?.edit == nil)
    }

    @Test("claims that only the authority knows leave the verdict open") func undecided() throws {
        var claims = try claimsObject(Self.goodToken)
        claims.remove("x-ms-compliance-status")
        let text = String(decoding: JSONValue.object(claims).serialized(), as: UTF8.self)
        let open = try Self.explain(policyText(Self.aci), text, unknowable: ["x-ms-compliance-status"])
        #expect(open.verdict == "undecided")
        #expect(open.undecidedClaims == ["x-ms-compliance-status"])
        #expect(open.text().hasPrefix("UNDECIDED"))
        #expect(open.summary.contains("only the authority can say"))
        // Another obstacle beside it, and the answer is no.
        let closed = try Self.explain(policyText(Self.aci), text.replacing("false", with: "true"), unknowable: ["x-ms-compliance-status"])
        #expect(closed.verdict == "not-satisfied")
    }

    @Test("values are shortened, and characters that deceive are shown as what they are") func hostileValues() throws {
        let long = String(repeating: "x", count: 5000)
        let hostile = "a\u{1B}[2J\u{202E}b\u{200B}c\"d\n"
        let token = JSONValue.object(["a": .string(long), "b": .string(hostile), "c": ["k": "v"]])
        let explanation = try Self.explain(
            policyText(#"{"claim":"a","equals":"1"},{"claim":"b","equals":"1"},{"claim":"c","equals":"1"}"#),
            String(decoding: token.serialized(), as: UTF8.self), issuer: "https://evil\u{1B}\u{2028}")
        for text in [explanation.text(), explanation.summary] {
            #expect(!text.contains(long))
            for scalar in ["\u{1B}", "\u{202E}", "\u{200B}", "\u{2028}"] { #expect(!text.contains(scalar)) }
        }
        #expect(explanation.text().contains(#"found   "a\u{1b}[2J\u{202e}b\u{200b}c\"d\u{a}""#))
        #expect(explanation.text().contains("found   an object"))
        let actual = explanation.json()[pointer: "/authorities/0/conditions/conditions/0/actual"]?.text
        #expect(actual?.unicodeScalars.count == 201)
        #expect(explanation.json()[pointer: "/authorities/0/conditions/conditions/2/actual"] == "(an object)")
    }

    @Test("names of claims are shortened like their values") func longNames() throws {
        let long = String(repeating: "n", count: 5000)
        let explanation = try Self.explain(policyText(#"{"claim":"\#(long)","equals":"1"}"#), "{}")
        #expect(!explanation.text().contains(long) && !explanation.summary.contains(long))
        #expect(explanation.summary.utf8.count < 1000)
        let name = explanation.json()[pointer: "/authorities/0/conditions/conditions/0/claim"]?.text
        #expect(name?.unicodeScalars.count == 201)
        #expect(!String(decoding: explanation.page(title: "p"), as: UTF8.self).contains(long))
    }

    @Test("only the nearest authorities are shown where a limit says so") func limit() throws {
        let entries = (0..<9).map { #"{"authority":"https://h\#($0)","allOf":[{"claim":"a","equals":"1"}]}"# }
        let policy = #"{"version":"1.0.0","anyOf":[\#(entries.joined(separator: ","))]}"#
        let explanation = try Self.explain(policy, #"{"a":1}"#, issuer: "https://h7")
        #expect(explanation.isSatisfied)
        let other = try Self.explain(policy, #"{"a":2}"#, issuer: "https://h7")
        #expect(other.json(authorityLimit: 2)[pointer: "/authorities_left_out"] == 7)
        #expect(other.json(authorityLimit: 2)[pointer: "/authorities/0/authority"] == "https://h7")
        #expect(other.text(authorityLimit: 2).contains("and 7 more authorities"))
        #expect(!other.text().contains("more authorities"))
        #expect(other.json()[pointer: "/authorities/8"] != nil)
    }

    @Test("nested alternatives: the cheapest one is suggested") func alternatives() throws {
        let policy = policyText(
            #"""
            {"claim":"a","equals":"1"},
            {"anyOf":[{"allOf":[{"claim":"b","equals":"1"},{"claim":"c","equals":"1"}]},{"claim":"d","equals":"1"}]}
            """#)
        let change = try #require(try Self.explain(policy, #"{"a":1,"d":2}"#).smallestChange)
        #expect(change.steps.map(\.claim) == ["d"])
        #expect(change.steps[0].pointer == "/anyOf/0/allOf/1/anyOf/1")
        let closer = try #require(try Self.explain(policy, #"{"a":1,"b":1,"c":2,"d":2}"#).smallestChange)
        #expect(closer.steps.count == 1)
    }
}
