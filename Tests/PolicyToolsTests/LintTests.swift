import ReleasePolicy
import PolicyTools
import StrictJSON
import Testing

@Suite("Policy linter") struct LintTests {
    static func check(_ text: String, _ linter: PolicyLinter = PolicyLinter()) throws -> [LintFinding] {
        linter.check(try PolicyDocument(Array(text.utf8)))
    }

    @Test("each rule complains about one policy and not about its neighbour", arguments: RuleCase.all) func rules(_ pair: RuleCase) throws {
        let linter = PolicyLinter(isImmutable: pair.isImmutable)
        let findings = try Self.check(pair.bad, linter)
        let finding = try #require(findings.first { $0.rule == pair.rule }, "\(findings.map { "\($0.rule.rawValue): \($0.message)" })")
        #expect(finding.severity == pair.severity)
        #expect((finding.message + " " + (finding.fix ?? "")).contains(pair.words), "\(finding.message); \(finding.fix ?? "")")
        let neighbour = try Self.check(pair.good, linter)
        #expect(!neighbour.contains { $0.rule == pair.rule }, "\(neighbour.map(\.message))")
    }

    @Test("the table has every rule, and every rule says what it means") func completeness() {
        #expect(Set(RuleCase.all.map(\.rule)) == Set(LintRule.allCases))
        for rule in LintRule.allCases { #expect(rule.meaning.hasSuffix(".")) }
    }

    @Test("good policies are clean", arguments: [LintText.policy(LintText.good), LintText.policy(LintText.machine)]) func clean(
        _ text: String
    ) throws { #expect(try Self.check(text).map { "\($0.rule.rawValue) \($0.message)" } == []) }

    @Test("Microsoft's sample with a host that cannot exist and undotted claims for a VM") func microsoftImpossibleHost() throws {
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

    @Test("Microsoft's sample with allOf at the top") func microsoftTopLevelAllOf() throws {
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

    @Test("several faults of the grammar are named at once, each at its place") func severalFaults() throws {
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
            "unsupported-version /version 1", "invalid-value /anyOf/0/authority 3", "invalid-value /anyOf/0/allOf/0/equals 3",
            "missing-member /anyOf/1/allOf/0 5", "invalid-value /anyOf/1/allOf/1/anyOf/0/less 6", "unknown-member /anyOf/1/extra~1x 7",
        ] { #expect(places.contains(place), "\(place) is not in \(places.sorted())") }
    }

    @Test("texts that Windows writes are recognised") func encodings() throws {
        let good = Array(LintText.policy(LintText.good).utf8)
        let mark = PolicyLinter().check(try PolicyDocument([0xEF, 0xBB, 0xBF] + good))
        #expect(mark.first?.message.contains("byte order mark") == true)
        let wide = PolicyLinter().check(try PolicyDocument([0xFF, 0xFE] + good.flatMap { [$0, 0] }))
        #expect(wide.first?.message.contains("UTF-16") == true)
    }

    @Test("a stated purpose decides where the policy does not say") func purpose() throws {
        let text = LintText.policy([LintText.vmpl])
        #expect(try Self.check(text, PolicyLinter(purpose: .container)).contains { $0.rule == .missingHostData })
        #expect(try Self.check(text, PolicyLinter(purpose: .confidentialVM)).contains { $0.rule == .containerStyle })
        #expect(try Self.check(LintText.policy(LintText.machine), PolicyLinter(purpose: .container)).contains { $0.rule == .machineStyle })
    }

    @Test("one alternative that pins nothing is enough to admit everybody") func alternatives() throws {
        let pinned = "[\(LintText.host),\(LintText.debug)]"
        let policy = policyText(#"{"allOf":\#(pinned)},{"allOf":[\#(LintText.type),\#(LintText.debug)]}"#, join: "anyOf")
        #expect(try Self.check(policy).contains { $0.rule == .anyTenant })
        let both = policyText(#"{"allOf":\#(pinned)},{"allOf":\#(pinned)}"#, join: "anyOf")
        #expect(try !Self.check(both).contains { $0.rule == .anyTenant })
    }

    @Test("an authority of one's own counts only with what its policy issues") func ownAuthority() throws {
        let own = "https://contoso.weu.attest.azure.net"
        let conditions = [LintText.type, LintText.compliance, LintText.debug]
        let bare = try Self.check(LintText.policy(conditions, authority: own)).first { $0.rule == .anyTenant }
        #expect(bare?.severity == .warning)
        let pinned = conditions + [#"{"claim":"x-ms-policy.workload","equals":"payments"}"#]
        #expect(try !Self.check(LintText.policy(pinned, authority: own)).contains { $0.rule == .anyTenant })
        let hash = conditions + [#"{"claim":"x-ms-policy-hash","equals":"abc"}"#]
        #expect(try !Self.check(LintText.policy(hash, authority: own)).contains { $0.rule == .anyTenant })
        // The policy of a shared provider is everybody's, so its hash tells nobody apart.
        #expect(try Self.check(LintText.policy(hash)).contains { $0.rule == .anyTenant })
    }

    @Test(
        "nearest names",
        arguments: [
            ("x-ms-sevsnpvm-host-data", "x-ms-sevsnpvm-hostdata"),
            ("x-ms-isolation-tee.x-ms-complience-status", "x-ms-isolation-tee.x-ms-compliance-status"),
            ("x-ms-isolation-tee.x-ms-azurevm-vmid", "x-ms-azurevm-vmid"),
            ("x-ms-isolationtee.x-ms-sevsnpvm-vmpl", "x-ms-isolation-tee.x-ms-sevsnpvm-vmpl"), ("x-ms-azurevm-vm-id", "x-ms-azurevm-vmid"),
        ]) func nearest(_ written: String, _ meant: String) throws
    {
        let findings = try Self.check(LintText.with(#"{"claim":"\#(written)","equals":"1"}"#))
        #expect(findings.first { $0.rule == .unknownClaim }?.fix == "did you mean \"\(meant)\"?")
    }

    @Test("documents that are not policies, and hostile ones, are findings and not crashes") func hostile() throws {
        let deep = String(repeating: #"{"anyOf":["#, count: 20) + String(repeating: "]}", count: 20)
        let wide = LintText.policy(Array(repeating: LintText.vmpl, count: 3000))
        for text in [
            "[]", "[1,2]", "{}", #"{"anyOf":7}"#, #"{"anyOf":[7,null,[],{}]}"#, #"{"anyOf":[{"allOf":7}]}"#, deep,
            #"{"anyOf":[{"authority":"","allOf":[{"claim":"","equals":""}]}]}"#, #"{"version":1,"version":2}"#, "",
            "{\"anyOf\":[{\"authority\":\"://\",\"allOf\":[{\"claim\":\"\\u0000\",\"equals\":\"\\u202e\"}]}]}", #"{"a":"\#("\\")"#, wide,
        ] { #expect(try !Self.check(text).isEmpty, "\(text.prefix(60))") }
    }

    @Test("the policy of a key for secure wrap is judged as it is, though the key cannot be exported") func secureWrap() throws {
        let policy = LintText.policy(LintText.good)
        let terms = #""attributes":{"exportable":false},"release_policy":{"data":"\#(base64URL(policy))"}"#
        let operations = #""kty":"RSA-HSM","key_ops":["secureWrapKey","secureUnwrapKey"]"#
        for text in [#"{\#(operations),\#(terms)}"#, #"{"key":{"kid":"k",\#(operations)},\#(terms)}"#] {
            #expect(try Self.check(text).map(\.rule) == Self.check(policy).map(\.rule))
        }
    }

    @Test("key bundles, encoded policies, and what is none") func documents() throws {
        let policy = LintText.policy(LintText.good)
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
        for text in [#"{"key":{"kid":"k"},"attributes":{}}"#, #"{"release_policy":{}}"#, #"{"release_policy":{"data":"!"}}"#] {
            #expect(throws: PolicyDocument.Failure.self) { try PolicyDocument(Array(text.utf8)) }
        }
    }
}
