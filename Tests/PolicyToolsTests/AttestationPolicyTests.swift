import JOSE
import OpenSSLCrypto
import ReleasePolicy
import StrictJSON
import Testing

/// Reads the part of Azure Attestation's policy language 1.0 that the files of `policies/attestation` use, for these tests alone.
struct AttestationPolicy {
    struct Condition {
        let type: String
        let operation: String
        let value: JSONValue
    }

    struct Rule {
        let conditions: [Condition]
        /// `permit()`, `deny()` or `issue(type="…", value="…")`.
        let action: String
        var issued: (String, String)?
    }

    struct Malformed: Error { let text: String }

    var authorization: [Rule] = []
    var issuance: [Rule] = []

    init(_ text: String) throws {
        guard
            let version = text.wholeMatch(
                of: #/version= 1\.0;\nauthorizationrules\n\{\n(.*)\};\nissuancerules\n\{\n(.*)\};\n/#.dotMatchesNewlines())
        else { throw Malformed(text: "frame") }
        authorization = try Self.rules(String(version.1))
        issuance = try Self.rules(String(version.2))
    }

    private static func rules(_ text: String) throws -> [Rule] {
        try text.split(separator: ";").map(String.init).filter { !$0.allSatisfy(\.isWhitespace) }.map { rule in
            let sides = rule.split(separator: "=>", maxSplits: 1)
            guard sides.count == 2 else { throw Malformed(text: rule) }
            let conditions = try sides[0].split(separator: "&&").map { part -> Condition in
                guard let match = part.wholeMatch(of: #/\s*\[ type=="([A-Za-z0-9-]+)", value(==|!=|>=)("[^"]*"|true|false|[0-9]+) \]\s*/#)
                else { throw Malformed(text: String(part)) }
                let literal = String(match.3)
                let value: JSONValue =
                    literal.hasPrefix("\"")
                    ? .string(String(literal.dropFirst().dropLast())) : Int64(literal).map { .integer($0) } ?? .boolean(literal == "true")
                return Condition(type: String(match.1), operation: String(match.2), value: value)
            }
            let action = sides[1].filter { !$0.isWhitespace }
            if let issued = action.wholeMatch(of: #/issue\(type="([^"]+)",value="([^"]+)"\)/#) {
                return Rule(conditions: conditions, action: "issue", issued: (String(issued.1), String(issued.2)))
            }
            guard ["permit()", "deny()"].contains(action) else { throw Malformed(text: action) }
            return Rule(conditions: conditions, action: action, issued: nil)
        }
    }

    private static func holds(_ rule: Rule, _ claims: JSONObject) -> Bool {
        rule.conditions.allSatisfy { condition in
            guard let actual = claims[condition.type] else { return false }
            switch (condition.operation, actual, condition.value) {
            case ("==", _, _): return actual == condition.value
            case ("!=", _, _): return actual != condition.value
            case (">=", .integer(let a), .integer(let b)): return a >= b
            default: return false
            }
        }
    }

    /// Claims that the policy adds, or `nil` where it issues no token: a deny fired, or no permit.
    func judge(_ claims: JSONObject) -> JSONObject? {
        let fired = authorization.filter { Self.holds($0, claims) }.map(\.action)
        guard fired.contains("permit()"), !fired.contains("deny()") else { return nil }
        var added = JSONObject()
        for rule in issuance where Self.holds(rule, claims) { if let issued = rule.issued { added.set(issued.0, .string(issued.1)) } }
        return added
    }

    /// BASE64URL(SHA256(BASE64URL(text))) (AttestationService.md, "Attestation policy").
    static func hash(_ text: [UInt8]) -> String { Base64.encodeURL(DigestAlgorithm.sha256.digest(Array(Base64.encodeURL(text).utf8))) }
}

@Suite("policies/attestation") struct AttestationPolicyTests {
    private static func policy(_ name: String) throws -> AttestationPolicy {
        try AttestationPolicy(String(decoding: PolicyFiles.read("attestation/\(name)"), as: UTF8.self))
    }

    @Test("the guest's policy permits the good guest and none of the others") func guest() throws {
        let policy = try Self.policy("sevsnpvm-guest.txt")
        #expect(policy.judge(SampleTokens.container()) != nil)
        #expect(policy.judge(SampleTokens.container().changing("x-ms-sevsnpvm-microcode-svn", to: 210)) != nil)
        for (claim, value) in [
            ("is-debuggable", true), ("migration-allowed", true), ("vmpl", 1), ("bootloader-svn", 2), ("snpfw-svn", 7),
            ("microcode-svn", 114), ("is-debuggable", nil), ("vmpl", "0"),
        ] as [(String, JSONValue?)] {
            let claims = SampleTokens.container().changing("x-ms-sevsnpvm-" + claim, to: value)
            #expect(policy.judge(claims) == nil, "\(claim)")
        }
    }

    @Test("the workload's policy names the deployment, and the release policy relies on it") func workload() throws {
        let policy = try Self.policy("sevsnpvm-workload.txt")
        let old = SampleTokens.container()
        let new = old.changing("x-ms-sevsnpvm-hostdata", to: .string(SampleTokens.newHostData))
        #expect(policy.judge(old)?["workload"] == "payments-old")
        #expect(policy.judge(new)?["workload"] == "payments-new")
        for claims in [
            old.changing("x-ms-sevsnpvm-hostdata", to: .string(String(repeating: "a", count: 64))),
            old.changing("x-ms-sevsnpvm-is-debuggable", to: true), old.changing("x-ms-sevsnpvm-vmpl", to: 2),
            new.changing("x-ms-sevsnpvm-migration-allowed", to: true),
        ] { #expect(policy.judge(claims) == nil) }

        let issuer = "https://contoso.weu.attest.azure.net"
        let added = try #require(policy.judge(new))
        let token = new.changing("x-ms-policy", to: .object(added)).changing(
            "x-ms-policy-hash", to: .string(AttestationPolicy.hash(PolicyFiles.read("attestation/sevsnpvm-workload.txt"))))
        let release = try ReleasePolicy(json: PolicyFiles.read("release/private-authority.json"))
        #expect(release.evaluate(claims: token, issuer: issuer).isSatisfied)
    }

    @Test("the reader refuses what it does not understand") func reader() {
        for text in [
            "version= 1.1;\nauthorizationrules\n{\n};\nissuancerules\n{\n};\n",
            "version= 1.0;\nauthorizationrules\n{\n[ type==\"a\" ] => permit();\n};\nissuancerules\n{\n};\n",
            "version= 1.0;\nauthorizationrules\n{\n[ type==\"a\", value==1 ] => allow();\n};\nissuancerules\n{\n};\n",
        ] { #expect(throws: AttestationPolicy.Malformed.self) { try AttestationPolicy(text) } }
    }

    @Test("the policy hash is the documented one") func hash() {
        let text = "version= 1.0;\nauthorizationrules{\n=> permit();\n};\nissuancerules{\n};"
        #expect(AttestationPolicy.hash(Array(text.utf8)) == "yhc8GAfFgCrEvUg3lp5RMYuV4zPf52zmK_PyYp60HHg")
    }
}
