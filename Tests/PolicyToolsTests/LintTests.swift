import PolicyTools
import StrictJSON
import Testing

/// Texts of policies for the rules.
private enum Text {
    static let hostData = "d14f98512e78574d68e04dabc7d462f41d9d7aaa4e47fef658a8df935e151844"
    static let type = #"{"claim":"x-ms-attestation-type","equals":"sevsnpvm"}"#
    static let compliance = #"{"claim":"x-ms-compliance-status","equals":"azure-compliant-uvm"}"#
    static let debug = #"{"claim":"x-ms-sevsnpvm-is-debuggable","equals":"false"}"#
    static let vmpl = #"{"claim":"x-ms-sevsnpvm-vmpl","equals":"0"}"#
    static let host = #"{"claim":"x-ms-sevsnpvm-hostdata","equals":"\#(hostData)"}"#
    static let good = [type, compliance, debug, vmpl, host]
    static let tee = "x-ms-isolation-tee."

    static let machine = [
        #"{"claim":"x-ms-attestation-type","equals":"azurevm"}"#,
        #"{"claim":"\#(tee)x-ms-attestation-type","equals":"sevsnpvm"}"#,
        #"{"claim":"\#(tee)x-ms-compliance-status","equals":"azure-compliant-cvm"}"#,
        #"{"claim":"\#(tee)x-ms-sevsnpvm-is-debuggable","equals":"false"}"#,
        #"{"claim":"x-ms-azurevm-vmid","equals":"B958DC88-E41D-47F1-8D20-E57B6B7E9825"}"#,
    ]

    static func policy(_ conditions: [String], authority: String = "https://sharedneu.neu.attest.azure.net") -> String {
        policyText(conditions.joined(separator: ","), authority: authority)
    }

    /// The good policy and one condition more.
    static func with(_ condition: String) -> String { policy(good + [condition]) }

    static func without(_ condition: String) -> String { policy(good.filter { $0 != condition }) }

    static func authority(_ text: String) -> String { policy(good, authority: text) }
}

/// A policy that a rule complains about, and one like it that it does not.
struct RuleCase: Sendable, CustomTestStringConvertible {
    let rule: LintRule
    let severity: LintFinding.Severity
    let bad: String
    let good: String
    let words: String
    var isImmutable: Bool?

    init(
        _ rule: LintRule, _ severity: LintFinding.Severity, bad: String, good: String = Text.policy(Text.good),
        words: String, isImmutable: Bool? = nil
    ) {
        self.rule = rule
        self.severity = severity
        self.bad = bad
        self.good = good
        self.words = words
        self.isImmutable = isImmutable
    }

    var testDescription: String { rule.rawValue }
}

@Suite("Policy linter")
struct LintTests {
    static func check(_ text: String, _ linter: PolicyLinter = PolicyLinter()) throws -> [LintFinding] {
        linter.check(try PolicyDocument(Array(text.utf8)))
    }

    static let cases: [RuleCase] = [
        // The grammar
        RuleCase(.syntax, .error, bad: #"{"version":"1.0.0","anyOf":[}"#, words: "JSON"),
        RuleCase(
            .topLevelAllOf, .error, bad: #"{"version":"1.0.0","allOf":[{"authority":"https://a","allOf":[]}]}"#,
            words: "never \"allOf\""),
        RuleCase(.missingAuthorities, .error, bad: #"{"version":"1.0.0"}"#, words: "anyOf"),
        RuleCase(
            .unsupportedVersion, .error, bad: Text.policy(Text.good).replacing("1.0.0", with: "2.0"), words: "1.0.0"),
        RuleCase(.missingMember, .error, bad: Text.with(#"{"equals":"1"}"#), words: "claim"),
        RuleCase(.unknownMember, .error, bad: Text.with(#"{"claim":"nonce","equal":"1"}"#), words: "not an operator"),
        RuleCase(.invalidValue, .error, bad: Text.with(#"{"claim":"nonce","equals":["1"]}"#), words: "expected"),
        RuleCase(.emptyList, .error, bad: Text.with(#"{"anyOf":[]}"#), words: "empty"),
        RuleCase(
            .ambiguous, .error, bad: Text.with(#"{"claim":"nonce","equals":"1","less":2}"#), words: "one operator"),
        RuleCase(
            .tooDeep, .error,
            bad: Text.with(
                String(repeating: #"{"allOf":["#, count: 10) + Text.vmpl + String(repeating: "]}", count: 10)),
            good: Text.with(
                String(repeating: #"{"allOf":["#, count: 9) + #"{"claim":"nonce","equals":"1"}"#
                    + String(repeating: "]}", count: 9)),
            words: "nest deeper"),
        RuleCase(
            .previewForm, .warning,
            bad: Text.with(#"{"claim":"x-ms-ver","condition":"equals","value":"1.0"}"#),
            good: Text.with(#"{"claim":"x-ms-ver","equals":"1.0"}"#), words: "first preview"),
        RuleCase(
            .oldVersion, .warning, bad: Text.policy(Text.good).replacing("1.0.0", with: "0.2"), words: "version"),
        // Authorities
        RuleCase(
            .impossibleAuthority, .error, bad: Text.authority("https://sharedeus2.weu2.attest.azure.net"),
            good: Text.authority("https://sharedeus2.eus2.attest.azure.net"), words: "cannot exist"),
        RuleCase(
            .unknownRegion, .warning, bad: Text.authority("https://contoso.wux.attest.azure.net"),
            good: Text.authority("https://contoso.weu.attest.azure.net"), words: "no region code"),
        RuleCase(
            .trailingSlash, .warning, bad: Text.authority("https://sharedneu.neu.attest.azure.net/"),
            words: "ends with a slash"),
        RuleCase(
            .authorityScheme, .error, bad: Text.authority("sharedneu.neu.attest.azure.net"), words: "https://"),
        RuleCase(
            .authorityCase, .error, bad: Text.authority("https://SharedNeu.neu.attest.azure.net"), words: "capital"),
        RuleCase(
            .authorityPath, .error, bad: Text.authority("https://sharedneu.neu.attest.azure.net/certs"),
            words: "follows the host"),
        RuleCase(
            .testEnvironment, .warning, bad: Text.authority("https://sharedweu.weu.test.attest.azure.net"),
            good: Text.authority("https://sharedweu.weu.attest.azure.net"), words: "test environment"),
        RuleCase(
            .foreignAuthority, .warning, bad: Text.authority("https://sharedneu.neu.attest.azure.net.example.org"),
            words: "not a host of Azure Attestation"),
        // Claims and values
        RuleCase(
            .unknownClaim, .error, bad: Text.with(#"{"claim":"x-ms-sevsnpvm-microcodesvn","greaterOrEquals":115}"#),
            good: Text.with(#"{"claim":"x-ms-sevsnpvm-microcode-svn","greaterOrEquals":115}"#), words: "no token"),
        RuleCase(
            .claimCase, .error,
            bad: Text.with(#"{"claim":"x-ms-sevsnpvm-familyid","equals":"01000000000000000000000000000000"}"#),
            good: Text.with(#"{"claim":"x-ms-sevsnpvm-familyId","equals":"01000000000000000000000000000000"}"#),
            words: "x-ms-sevsnpvm-familyId"),
        RuleCase(
            .structureClaim, .error, bad: Text.with(#"{"claim":"x-ms-runtime","equals":"1"}"#),
            good: Text.with(#"{"claim":"x-ms-runtime.tenant","equals":"1"}"#), words: "object or an array"),
        RuleCase(
            .valueCase, .error,
            bad: Text.policy(Text.good).replacing(Text.hostData, with: Text.hostData.uppercased()), words: "lower-case"),
        RuleCase(
            .valueForm, .error, bad: Text.policy(Text.good).replacing(Text.hostData, with: "0x" + Text.hostData),
            words: "without 0x"),
        RuleCase(
            .valueType, .error, bad: Text.policy(Text.good).replacing(#""false""#, with: "0"), words: "true or false"),
        RuleCase(
            .unknownValue, .warning,
            bad: Text.policy(Text.good).replacing("azure-compliant-uvm", with: "azure-compliant-uvms"),
            words: "no value"),
        RuleCase(
            .numberText, .error, bad: Text.policy(Text.good).replacing(#""0""#, with: #""0.0""#), words: "as texts"),
        RuleCase(
            .orderOfText, .warning, bad: Text.with(#"{"claim":"x-ms-sevsnpvm-guestsvn","greaterOrEquals":"100"}"#),
            good: Text.with(#"{"claim":"x-ms-sevsnpvm-guestsvn","greaterOrEquals":100}"#), words: "quotation"),
        RuleCase(
            .unsafeNumber, .warning, bad: Text.with(#"{"claim":"x-ms-runtime.serial","equals":9007199254740993}"#),
            good: Text.with(#"{"claim":"x-ms-runtime.serial","equals":9007199254740992}"#), words: "2^53"),
        RuleCase(
            .unverifiedOperator, .note, bad: Text.with(#"{"claim":"nonce","exists":"true"}"#),
            good: Text.with(#"{"claim":"nonce","equals":"1"}"#), words: "exists"),
        // The whole
        RuleCase(
            .containerStyle, .error, bad: Text.policy(Text.machine + [Text.vmpl]), good: Text.policy(Text.machine),
            words: "no token meets them all"),
        RuleCase(
            .machineStyle, .error,
            bad: Text.with(#"{"claim":"x-ms-isolation-tee.x-ms-sevsnpvm-guestsvn","equals":"2"}"#),
            good: Text.with(#"{"claim":"x-ms-sevsnpvm-guestsvn","equals":"2"}"#), words: "flat"),
        RuleCase(
            .anyTenant, .error, bad: Text.without(Text.host), words: "admits any tenant's container group"),
        RuleCase(.missingDebug, .warning, bad: Text.without(Text.debug), words: "debugged"),
        RuleCase(
            .debugAdmitted, .error, bad: Text.policy(Text.good).replacing(#""false""#, with: #""true""#),
            words: "reads the released key"),
        RuleCase(.missingHostData, .warning, bad: Text.without(Text.host), words: "x-ms-sevsnpvm-hostdata"),
        RuleCase(
            .wellKnownHostData, .error,
            bad: Text.policy(Text.good).replacing(
                Text.hostData, with: "73973b78d70cc68353426de188db5dfc57e5b766e399935fb73a61127ea26d20"),
            words: "allow-all"),
        RuleCase(.missingCompliance, .warning, bad: Text.without(Text.compliance), words: "compliance status"),
        RuleCase(
            .pinnedMeasurement, .warning,
            bad: Text.with(
                #"{"claim":"x-ms-sevsnpvm-launchmeasurement","equals":"\#(String(repeating: "ab", count: 48))"}"#),
            words: "every update"),
        RuleCase(
            .contradiction, .error, bad: Text.with(Text.host.replacing("d14f", with: "e14f")),
            good: Text.policy(
                Text.good.dropLast() + [#"{"anyOf":[\#(Text.host),\#(Text.host.replacing("d14f", with: "e14f"))]}"#]),
            words: "no token meets this"),
        RuleCase(.repeated, .note, bad: Text.with(Text.vmpl), words: "says the same as /anyOf/0/allOf/3"),
        RuleCase(
            .tooManyAlternatives, .warning,
            bad: Text.policy(Text.good + Array(repeating: #"{"anyOf":[\#(Text.vmpl),\#(Text.debug)]}"#, count: 10)),
            good: Text.policy(Text.good + Array(repeating: #"{"anyOf":[\#(Text.vmpl),\#(Text.debug)]}"#, count: 9)),
            words: "not judged"),
        RuleCase(
            .immutable, .error, bad: Text.without(Text.debug), words: "never be mended", isImmutable: true),
    ]

    @Test("each rule complains about one policy and not about its neighbour", arguments: cases)
    func rules(_ pair: RuleCase) throws {
        let linter = PolicyLinter(isImmutable: pair.isImmutable)
        let findings = try Self.check(pair.bad, linter)
        let finding = try #require(
            findings.first { $0.rule == pair.rule }, "\(findings.map { "\($0.rule.rawValue): \($0.message)" })")
        #expect(finding.severity == pair.severity)
        #expect(
            (finding.message + " " + (finding.fix ?? "")).contains(pair.words),
            "\(finding.message); \(finding.fix ?? "")")
        let neighbour = try Self.check(pair.good, linter)
        #expect(!neighbour.contains { $0.rule == pair.rule }, "\(neighbour.map(\.message))")
    }

    @Test("the table has every rule, and every rule says what it means")
    func completeness() {
        #expect(Set(Self.cases.map(\.rule)) == Set(LintRule.allCases))
        for rule in LintRule.allCases { #expect(rule.meaning.hasSuffix(".")) }
    }

    @Test("good policies are clean", arguments: [Text.policy(Text.good), Text.policy(Text.machine)])
    func clean(_ text: String) throws {
        #expect(try Self.check(text).map { "\($0.rule.rawValue) \($0.message)" } == [])
    }

    @Test("Microsoft's sample with a host that cannot exist and undotted claims for a VM")
    func microsoftImpossibleHost() throws {
        let conditions = #"""
            {"claim":"x-ms-attestation-type","equals":"sevsnpvm"},
            {"claim":"x-ms-compliance-status","equals":"azure-compliant-cvm"}
            """#
        let text = """
            {
              "version": "1.0.0",
              "anyOf": [
                {"authority": "https://sharedweu.weu.attest.azure.net", "allOf": [\(conditions)]},
                {"authority": "https://sharedeus2.weu2.attest.azure.net", "allOf": [\(conditions)]}
              ]
            }
            """
        let findings = try Self.check(text)
        let host = try #require(findings.first { $0.rule == .impossibleAuthority })
        #expect(host.severity == .error)
        #expect(host.pointer == "/anyOf/1/authority")
        #expect(host.line == 6)
        #expect(host.message.contains(#"here they are "eus2" and "weu2""#))
        #expect(host.fix == #"write "https://sharedeus2.eus2.attest.azure.net""#)
        let style = findings.filter { $0.rule == .containerStyle }
        #expect(style.count == 4)
        #expect(style[1].fix?.contains("x-ms-isolation-tee.x-ms-compliance-status") == true)
        let tenant = try #require(findings.first { $0.rule == .anyTenant })
        #expect(tenant.message.contains("admits any tenant's confidential VM"))
        #expect(tenant.severity == .error)
    }

    @Test("Microsoft's sample with allOf at the top")
    func microsoftTopLevelAllOf() throws {
        let text = #"""
            {
              "version": "1.0.0",
              "allOf": [
                {
                  "authority": "https://sharedweu.weu.attest.azure.net",
                  "allOf": [
                    {"claim": "x-ms-isolation-tee.x-ms-attestation-type", "equals": "sevsnpvm"},
                    {"claim": "x-ms-isolation-tee.x-ms-compliance-status", "equals": "azure-compliant-cvm"},
                    {"claim": "x-ms-azurevm-vmid", "equals": "<PLACE YOUR VMID here>"}
                  ]
                }
              ]
            }
            """#
        let findings = try Self.check(text)
        let top = try #require(findings.first { $0.rule == .topLevelAllOf })
        #expect(top.severity == .error)
        #expect((top.line, top.column) == (3, 3))
        #expect(top.message.contains(#"never "allOf""#))
        #expect(top.fix?.contains(#"write "anyOf""#) == true)
        // The rest of the document is judged all the same.
        #expect(findings.contains { $0.rule == .valueForm && $0.line == 9 })
        #expect(findings.contains { $0.rule == .missingDebug })
    }

    @Test("several faults of the grammar are named at once, each at its place")
    func severalFaults() throws {
        let text = #"""
            {"version": "3",
             "anyOf": [
              {"authority": 7, "allOf": [{"claim": "nonce", "equals": {}}]},
              {"authority": "https://sharedneu.neu.attest.azure.net", "allOf": [
                {"claim": "nonce"},
                {"anyOf": [{"claim": "nonce", "less": "much"}]}
              ], "extra/x": 1}
             ]}
            """#
        let errors = try Self.check(text).filter { $0.severity == .error && $0.rule != .anyTenant }
        let places = Set(errors.map { "\($0.rule.rawValue) \($0.pointer) \($0.line ?? 0)" })
        for place in [
            "unsupported-version /version 1", "invalid-value /anyOf/0/authority 3",
            "invalid-value /anyOf/0/allOf/0/equals 3", "missing-member /anyOf/1/allOf/0 5",
            "invalid-value /anyOf/1/allOf/1/anyOf/0/less 6", "unknown-member /anyOf/1/extra~1x 7",
        ] {
            #expect(places.contains(place), "\(place) is not in \(places.sorted())")
        }
    }

    @Test("texts that Windows writes are recognised")
    func encodings() throws {
        let good = Array(Text.policy(Text.good).utf8)
        let mark = PolicyLinter().check(try PolicyDocument([0xEF, 0xBB, 0xBF] + good))
        #expect(mark.first?.message.contains("byte order mark") == true)
        let wide = PolicyLinter().check(try PolicyDocument([0xFF, 0xFE] + good.flatMap { [$0, 0] }))
        #expect(wide.first?.message.contains("UTF-16") == true)
    }

    @Test("a stated purpose decides where the policy does not say")
    func purpose() throws {
        let text = Text.policy([Text.vmpl])
        #expect(try Self.check(text, PolicyLinter(purpose: .container)).contains { $0.rule == .missingHostData })
        #expect(try Self.check(text, PolicyLinter(purpose: .confidentialVM)).contains { $0.rule == .containerStyle })
        #expect(
            try Self.check(Text.policy(Text.machine), PolicyLinter(purpose: .container))
                .contains { $0.rule == .machineStyle })
    }

    @Test("one alternative that pins nothing is enough to admit everybody")
    func alternatives() throws {
        let pinned = "[\(Text.host),\(Text.debug)]"
        let policy = policyText(
            #"{"allOf":\#(pinned)},{"allOf":[\#(Text.type),\#(Text.debug)]}"#, join: "anyOf")
        #expect(try Self.check(policy).contains { $0.rule == .anyTenant })
        let both = policyText(#"{"allOf":\#(pinned)},{"allOf":\#(pinned)}"#, join: "anyOf")
        #expect(try !Self.check(both).contains { $0.rule == .anyTenant })
    }

    @Test("an authority of one's own counts only with what its policy issues")
    func ownAuthority() throws {
        let own = "https://contoso.weu.attest.azure.net"
        let conditions = [Text.type, Text.compliance, Text.debug]
        let bare = try Self.check(Text.policy(conditions, authority: own)).first { $0.rule == .anyTenant }
        #expect(bare?.severity == .warning)
        let pinned = conditions + [#"{"claim":"x-ms-policy.workload","equals":"payments"}"#]
        #expect(try !Self.check(Text.policy(pinned, authority: own)).contains { $0.rule == .anyTenant })
        let hash = conditions + [#"{"claim":"x-ms-policy-hash","equals":"abc"}"#]
        #expect(try !Self.check(Text.policy(hash, authority: own)).contains { $0.rule == .anyTenant })
        // The policy of a shared provider is everybody's, so its hash tells nobody apart.
        #expect(try Self.check(Text.policy(hash)).contains { $0.rule == .anyTenant })
    }

    @Test(
        "nearest names",
        arguments: [
            ("x-ms-sevsnpvm-host-data", "x-ms-sevsnpvm-hostdata"),
            ("x-ms-isolation-tee.x-ms-complience-status", "x-ms-isolation-tee.x-ms-compliance-status"),
            ("x-ms-isolation-tee.x-ms-azurevm-vmid", "x-ms-azurevm-vmid"),
            ("x-ms-isolationtee.x-ms-sevsnpvm-vmpl", "x-ms-isolation-tee.x-ms-sevsnpvm-vmpl"),
            ("x-ms-azurevm-vm-id", "x-ms-azurevm-vmid"),
        ])
    func nearest(_ written: String, _ meant: String) throws {
        let findings = try Self.check(Text.with(#"{"claim":"\#(written)","equals":"1"}"#))
        #expect(findings.first { $0.rule == .unknownClaim }?.fix == "did you mean \"\(meant)\"?")
    }

    @Test("documents that are not policies, and hostile ones, are findings and not crashes")
    func hostile() throws {
        let deep = String(repeating: #"{"anyOf":["#, count: 20) + String(repeating: "]}", count: 20)
        let wide = Text.policy(Array(repeating: Text.vmpl, count: 3000))
        for text in [
            "[]", "[1,2]", "{}", #"{"anyOf":7}"#, #"{"anyOf":[7,null,[],{}]}"#, #"{"anyOf":[{"allOf":7}]}"#, deep,
            #"{"anyOf":[{"authority":"","allOf":[{"claim":"","equals":""}]}]}"#, #"{"version":1,"version":2}"#, "",
            "{\"anyOf\":[{\"authority\":\"://\",\"allOf\":[{\"claim\":\"\\u0000\",\"equals\":\"\\u202e\"}]}]}",
            #"{"a":"\#("\\")"#, wide,
        ] {
            #expect(try !Self.check(text).isEmpty, "\(text.prefix(60))")
        }
    }

    @Test("key bundles, encoded policies, and what is none")
    func documents() throws {
        let policy = Text.policy(Text.good)
        let data = base64URL(policy)
        let bundle = #"{"key":{"kid":"k"},"release_policy":{"data":"\#(data)","immutable":true}}"#
        for (text, form, immutable) in [
            (policy, PolicyDocument.Form.policy, Bool?.none), (bundle, .keyBundle, true),
            (#"{"data":"\#(data)","contentType":"application/json"}"#, .keyBundle, nil), (data + "\n", .encoded, nil),
            (#"{"releasePolicy":{"encodedPolicy":\#(quoted(policy)),"immutable":false}}"#, .keyBundle, false),
        ] {
            let document = try PolicyDocument(Array(text.utf8))
            #expect(document.text == Array(policy.utf8))
            #expect(document.form == form)
            #expect(document.isImmutable == immutable)
        }
        for text in [
            #"{"key":{"kid":"k"},"attributes":{}}"#, #"{"release_policy":{}}"#, #"{"release_policy":{"data":"!"}}"#,
        ] {
            #expect(throws: PolicyDocument.Failure.self) { try PolicyDocument(Array(text.utf8)) }
        }
    }
}
