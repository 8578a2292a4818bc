internal import AttestationTokens
import PolicyTools
import ReleasePolicy
import StrictJSON
import Testing

@Suite("policy new") struct DraftTests {
    static func draft(_ purpose: PolicyLinter.Purpose) -> PolicyDraft {
        var draft = PolicyDraft(purpose: purpose, authorities: [purpose == .container ? SampleTokens.northEurope : SampleTokens.westEurope])
        if purpose == .container { draft.hostData = [SampleTokens.hostData] } else { draft.machineIDs = [SampleTokens.machine] }
        return draft
    }

    static func findings(_ draft: PolicyDraft) throws -> [String] {
        PolicyLinter().check(try PolicyDocument(draft.text)).map { "\($0.rule.rawValue): \($0.message)" }
    }

    @Test("what it writes is admitted, refused where it should be, and clean", arguments: PolicyLinter.Purpose.allCases) func strict(
        _ purpose: PolicyLinter.Purpose
    ) throws {
        let draft = Self.draft(purpose)
        #expect(draft.problems == [])
        #expect(try Self.findings(draft) == [])
        let policy = try ReleasePolicy(json: draft.text)
        let claims = purpose == .container ? SampleTokens.container() : SampleTokens.machine()
        let prefix = purpose == .container ? "" : "x-ms-isolation-tee."
        let issuer = draft.authorities[0]
        #expect(policy.evaluate(claims: claims, issuer: issuer).isSatisfied)
        let changes: [(String, JSONValue?)] = [
            (prefix + "x-ms-sevsnpvm-is-debuggable", true), (prefix + "x-ms-compliance-status", nil), (prefix + "x-ms-sevsnpvm-vmpl", 1),
            purpose == .container ? ("x-ms-sevsnpvm-hostdata", "00") : ("x-ms-azurevm-vmid", "00"),
        ]
        for (claim, value) in changes {
            #expect(!policy.evaluate(claims: claims.changing(claim, to: value), issuer: issuer).isSatisfied, "\(claim)")
        }
        #expect(!policy.evaluate(claims: claims, issuer: "https://other.neu.attest.azure.net").isSatisfied)
    }

    @Test("several authorities, a rollout and minimum versions") func options() throws {
        var draft = Self.draft(.container)
        draft.authorities = [SampleTokens.northEurope, SampleTokens.westEurope]
        draft.hostData.append(SampleTokens.newHostData)
        draft.minimumVersions = PolicyDraft.SecurityVersion.allCases.map { ($0, $0 == .tee ? 0 : 2) }
        #expect(try Self.findings(draft) == [])
        let policy = try ReleasePolicy(json: draft.text)
        #expect(policy.authorities.count == 2)
        let new = SampleTokens.container().changing("x-ms-sevsnpvm-hostdata", to: .string(SampleTokens.newHostData))
        #expect(policy.evaluate(claims: new, issuer: SampleTokens.westEurope).isSatisfied)
        for claim in ["guestsvn", "bootloader-svn", "snpfw-svn", "microcode-svn"] {
            let old = new.changing("x-ms-sevsnpvm-" + claim, to: 1)
            #expect(!policy.evaluate(claims: old, issuer: SampleTokens.westEurope).isSatisfied, "\(claim)")
        }
    }

    @Test("every condition has a comment") func comments() throws {
        for purpose in PolicyLinter.Purpose.allCases {
            var draft = Self.draft(purpose)
            draft.minimumVersions = [(.microcode, 115)]
            draft.policyHash = "abc"
            let comments = draft.comments(for: "p.json")
            for entry in try ReleasePolicy(json: draft.text).authorities {
                #expect(comments.contains(entry.authority))
                for case .claim(let claim) in entry.conditions.conditions { #expect(comments.contains("- `\(claim.claim)`: ")) }
            }
        }
    }

    @Test("facts that cannot be are refused") func problems() {
        var container = Self.draft(.container)
        container.authorities = []
        container.hostData = [SampleTokens.hostData.uppercased(), "abc"]
        container.machineIDs = [SampleTokens.machine]
        #expect(container.problems.count == 4)
        var machine = Self.draft(.confidentialVM)
        machine.hostData = [SampleTokens.hostData]
        #expect(machine.problems.count == 1)
    }

    @Test(
        "authorities by URL, host and region",
        arguments: [
            ("northeurope", "https://sharedneu.neu.attest.azure.net"), ("EastUS2", "https://sharedeus2.eus2.attest.azure.net"),
            ("usgovvirginia", "https://sharedugv.ugv.attest.azure.us"),
            ("contoso.weu.attest.azure.net", "https://contoso.weu.attest.azure.net"),
            ("https://Contoso.weu.attest.azure.net/", "https://contoso.weu.attest.azure.net"),
            ("https://127.0.0.1:8443", "https://127.0.0.1:8443"), ("http://contoso.weu.attest.azure.net", nil), ("https://a.b/certs", nil),
            ("nowhere", nil), ("a b.c", nil), ("", nil),
        ] as [(String, String?)]) func authorities(_ text: String, _ expected: String?)
    { #expect(AuthorityName.origin(text) == expected) }
}
