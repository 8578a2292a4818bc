import OpenSSLCrypto
import PolicyTools
import ReleasePolicy
import StrictJSON
import Testing

@Suite("policy diff: release policies") struct ReleasePolicyDiffTests {
    private static let hostData = ["d14f", "3a38"].map { #"{"claim":"x-ms-sevsnpvm-hostdata","equals":"\#($0)"}"# }
    private static let debug = #"{"claim":"x-ms-sevsnpvm-is-debuggable","equals":"false"}"#

    private static func lines(_ old: String, _ new: String) throws -> [String] {
        let difference = PolicyDifference(try ReleasePolicy(text: old), try ReleasePolicy(text: new))
        return difference.areEqual ? [] : difference.lines
    }

    @Test("what means the same is equal, however it is written") func equal() throws {
        let plain = policyText("\(Self.debug),\(Self.hostData[0])")
        for other in [
            policyText("\(Self.hostData[0]),\(Self.debug)"), policyText("\(Self.debug),\(Self.hostData[0]),\(Self.debug)"),
            policyText(#"{"allOf":[\#(Self.debug)]},{"anyOf":[\#(Self.hostData[0])]}"#),
            plain.replacing(#""equals":"false""#, with: #""equals":false"#), plain.replacing("1.0.0", with: "1.0"),
            plain.replacing(#""version":"1.0.0","#, with: ""),
        ] { #expect(try Self.lines(plain, other) == [], "\(other)") }
        let choice = policyText("\(Self.hostData[0]),\(Self.hostData[1])", join: "anyOf")
        #expect(try Self.lines(choice, policyText("\(Self.hostData[1]),\(Self.hostData[0])", join: "anyOf")) == [])
    }

    @Test("each difference is one clause in its place") func clauses() throws {
        let old = policyText("\(Self.debug),\(Self.hostData[0])")
        let authority = "https://sharedneu.neu.attest.azure.net"
        #expect(
            try Self.lines(old, policyText("\(Self.debug),\(Self.hostData[1])"))
                == [#"~ \#(authority): x-ms-sevsnpvm-hostdata equals "d14f"  ->  x-ms-sevsnpvm-hostdata equals "3a38""#])
        #expect(try Self.lines(old, policyText(Self.hostData[0])) == [#"- \#(authority): x-ms-sevsnpvm-is-debuggable equals "false""#])
        #expect(
            try Self.lines(policyText(Self.hostData[0]), old) == [#"+ \#(authority): x-ms-sevsnpvm-is-debuggable equals "false""#])
        // The staged rollout: one host data becomes two, then the other one.
        let both = policyText(#"\#(Self.debug),{"anyOf":[\#(Self.hostData.joined(separator: ","))]}"#)
        let staged = try Self.lines(old, both)
        #expect(staged.count == 1 && staged[0].hasPrefix("~ ") && staged[0].contains("any of ("), "\(staged)")
        #expect(try Self.lines(both, policyText("\(Self.debug),\(Self.hostData[1])")).count == 1)
        // The same words joined otherwise are another policy.
        let all = "\(Self.debug),\(Self.hostData[0])"
        #expect(try Self.lines(policyText(all), policyText(all, join: "anyOf")).count == 1)
    }

    @Test("alternatives are compared with the one of the same authority") func authorities() throws {
        let old = policyText(Self.debug)
        #expect(
            try Self.lines(old, policyText(Self.debug, authority: "https://sharedweu.weu.attest.azure.net"))
                == [#"~ authority: "https://sharedneu.neu.attest.azure.net"  ->  "https://sharedweu.weu.attest.azure.net""#])
        let two = old.replacing("]}]}", with: #"]},{"authority":"https://x.example","allOf":[\#(Self.hostData[0])]}]}"#)
        #expect(try Self.lines(old, two) == [#"+ https://x.example: all of (x-ms-sevsnpvm-hostdata equals "d14f")"#])
        #expect(try Self.lines(two, old).map { $0.prefix(1) } == ["-"])
    }

    @Test("JSON and page say the same, and nothing of a policy becomes markup") func output() throws {
        let hostile = policyText(#"{"claim":"<script>","equals":"<b>\u202e"}"#, authority: "https://x/<i>")
        let difference = PolicyDifference(try ReleasePolicy(text: policyText(Self.debug)), try ReleasePolicy(text: hostile))
        let page = String(decoding: difference.page(old: "<u>", new: "b"), as: UTF8.self)
        for text in ["<script", "<b>", "<i>", "<u>", "\u{202E}", "src=", "href="] { #expect(!page.contains(text), "\(text)") }
        #expect(page.contains("DIFFERENT: 2 differences"))
        let json = JSONCursor(difference.json)
        #expect(try json.string("kind") == "release-policy" && !(try json.boolean("equal")))
        #expect(try json.array("changes").map { try $0.string("change") } == ["removed", "added"])
    }
}

@Suite("policy diff: security policies") struct SecurityPolicyDiffTests {
    /// In the form that `az confcom` writes.
    static func policy(
        svn: String = "4", image: String = "example.com/app@sha256:aa", environment: String = "MODE=prod", required: Bool = false,
        mount: String = "/etc/resolv.conf", dumps: Bool = false, layers: String = #""aa","bb""#
    ) -> String {
        """
        package policy

        import future.keywords.every
        import future.keywords.in

        api_version := "0.11.0"
        framework_version := "0.2.3"

        fragments := [
          {
            "feed": "mcr.microsoft.com/aci/aci-cc-infra-fragment",
            "includes": ["containers", "fragments"],
            "issuer": "did:x509:0:sha256:abc::eku:1.3",
            "minimum_svn": "\(svn)"
          }
        ]

        containers := [{"id":"\(image)","name":"app","command":["/app","[not a bracket\\"]"],"layers":[\(layers)],"env_rules":[\
        {"pattern":"PATH=/bin","required":false,"strategy":"string"},\
        {"pattern":"\(environment)","required":\(required),"strategy":"string"}],\
        "mounts":[{"destination":"\(mount)","options":["rw"],"source":"sandbox:///x","type":"bind"}],\
        "capabilities":{"bounding":["CAP_CHOWN","CAP_KILL"]}},{"name":"pause","command":["/pause"]}]

        allow_properties_access := true
        allow_dump_stacks := \(dumps)

        mount_device := data.framework.mount_device
        reason := {"errors": data.framework.errors}

        """
    }

    static func lines(_ old: String, _ new: String) throws -> [String] {
        let old = try ComparablePolicy(Array(old.utf8))
        let difference = try #require(old.difference(to: try ComparablePolicy(Array(new.utf8))))
        return difference.areEqual ? [] : difference.lines
    }

    @Test("the same policy, also as base64 and with everything in another order") func equal() throws {
        let plain = Self.policy()
        let reordered = plain.replacing(#"["CAP_CHOWN","CAP_KILL"]"#, with: #"["CAP_KILL","CAP_CHOWN"]"#)
            .replacing(#"["containers", "fragments"]"#, with: #"["fragments","containers"]"#)
        for other in [plain, Base64.encode(Array(plain.utf8)), reordered, plain.replacing("\n", with: "\r\n"), "# made\n" + plain] {
            #expect(try Self.lines(plain, other) == [], "\(other)")
        }
    }

    @Test("containers, environment rules, mounts, fragments and settings") func changes() throws {
        let old = Self.policy()
        for (new, wanted) in [
            (Self.policy(svn: "1"), #"~ fragment mcr.microsoft.com/aci/aci-cc-infra-fragment, minimum_svn: "4"  ->  "1""#),
            (
                Self.policy(image: "example.com/app@sha256:bb"),
                #"~ container app, id: "example.com/app@sha256:aa"  ->  "example.com/app@sha256:bb""#
            ),
            (
                Self.policy(environment: "MODE=test"),
                "~ container app, env_rules: MODE=prod (string, optional)  ->  MODE=test (string, optional)"
            ),
            (Self.policy(required: true), "~ container app, env_rules: MODE=prod (string, optional)  ->  MODE=prod (string, required)"),
            (Self.policy(dumps: true), "~ allow_dump_stacks: false  ->  true"),
            (Self.policy(layers: #""bb","aa""#), #"~ container app, layers: ["aa","bb"]  ->  ["bb","aa"]"#),
        ] { #expect(try Self.lines(old, new) == [wanted]) }
        #expect(
            try Self.lines(old, Self.policy(environment: "OTHER=1")) == [
                "- container app, env_rules: MODE=prod (string, optional)", "+ container app, env_rules: OTHER=1 (string, optional)",
            ])
        #expect(try Self.lines(old, Self.policy(mount: "/mnt")).map { $0.prefix(2) } == ["- ", "+ "])
        let without = old.replacing(#",{"name":"pause","command":["/pause"]}"#, with: "")
        #expect(try Self.lines(old, without) == [#"- container pause: (none), command ["/pause"]"#])
        #expect(try Self.lines(without, old).map { $0.prefix(17) } == ["+ container pause"])
        let capability = old.replacing(#""CAP_KILL"]"#, with: #""CAP_SYS_ADMIN"]"#)
        #expect(
            try Self.lines(old, capability) == [
                "- container app, capabilities bounding: CAP_KILL", "+ container app, capabilities bounding: CAP_SYS_ADMIN",
            ])
        let issuer = old.replacing("sha256:abc", with: "sha256:def")
        #expect(try Self.lines(old, issuer).count == 1 && (try Self.lines(old, issuer))[0].contains(", issuer: "))
        let open = old.replacing("data.framework.mount_device", with: #"{"allowed": true}"#)
        #expect(try Self.lines(old, open) == [#"~ mount_device: data.framework.mount_device  ->  {"allowed":true}"#])
    }

    @Test(
        "any other Rego is refused and named",
        arguments: [
            ("default allow := false\n", "'default'"), ("allow { input.x == 1 }\n", "'allow'"), ("f(x) := 1\n", "'f'"),
            ("import data.other\n", "data.other"), ("x := [y | y := 1]\n", "'x'"), ("x := input.y\n", "'x'"), ("x := `raw`\n", "'x'"),
            ("api_version := \"2\"\n", "'api_version'"), ("x := {\"a\": 1\n", "'x'"), ("x := data.other.y\n", "'x'"),
            ("containers := 5\n", "'containers'"),
        ]) func refused(statement: String, words: String) throws
    {
        let start = "package policy\n\napi_version := \"0.11.0\"\n"
        let failure = #expect(throws: ComparablePolicy.Failure.self) { try ComparablePolicy(Array((start + statement).utf8)) }
        #expect(failure?.description.contains(words) == true, "\(String(describing: failure))")
    }

    @Test(
        "what is no policy is no policy",
        arguments: ["", "hello", "<html></html>", "{}", "{\"anyOf\":5}", "all:\n\tcc x.c\n", "package policy\n", "# package policy\n"])
    func noPolicy(text: String) { #expect(throws: ComparablePolicy.Failure.self) { try ComparablePolicy(Array(text.utf8)) } }

    @Test("a release policy and a security policy are not compared") func kinds() throws {
        let release = try ComparablePolicy(Array(policyText(#"{"claim":"a","equals":"b"}"#).utf8))
        #expect(release.difference(to: try ComparablePolicy(Array(Self.policy().utf8))) == nil)
    }
}
