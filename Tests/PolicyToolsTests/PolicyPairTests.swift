import PolicyTools
import ReleasePolicy
import StrictJSON
import Testing

/// A policy, a token, the verdict, and what is named as the reason.
struct PolicyPair: Sendable, CustomTestStringConvertible {
    enum Token: Sendable { case container, machine }

    let name: String
    /// A file of `policies/release`, or a policy's text.
    let policy: String
    let token: Token
    /// Claims that differ from the sample, by dotted name; `nil` removes one.
    let changes: [(String, JSONValue?)]
    let issuer: String?
    /// `claim reason` of each step of the smallest change; empty for a policy that is satisfied.
    let reasons: [String]

    init(
        _ name: String, _ policy: String, _ token: Token = .container, _ changes: [(String, JSONValue?)] = [], issuer: String? = nil,
        reasons: [String] = []
    ) {
        self.name = name
        self.policy = policy
        self.token = token
        self.changes = changes
        self.issuer = issuer
        self.reasons = reasons
    }

    var testDescription: String { name }

    var document: [UInt8] { policy.hasPrefix("{") ? Array(policy.utf8) : PolicyFiles.read("release/\(policy).json") }

    var claims: JSONObject {
        let base = token == .container ? SampleTokens.container() : SampleTokens.machine()
        let changed = changes.reduce(base) { $0.changing($1.0, to: $1.1) }
        return issuer.map { changed.changing("iss", to: .string($0)) } ?? changed
    }
}

@Suite("Policies against tokens") struct PolicyPairTests {
    private static let east = "https://sharedeus2.eus2.attest.azure.net"
    private static let host = "x-ms-sevsnpvm-hostdata"
    private static let debug = "x-ms-sevsnpvm-is-debuggable"
    private static let tee = "x-ms-isolation-tee."
    private static let undotted = policyText(
        #"{"claim":"x-ms-attestation-type","equals":"sevsnpvm"},{"claim":"x-ms-compliance-status","equals":"azure-compliant-cvm"}"#,
        authority: SampleTokens.westEurope)
    private static let sdk = policyText(#"{"claim":"sdk-test","equals":"true"}"#, authority: "https://a/")

    static let pairs: [PolicyPair] = [
        // Container groups
        PolicyPair("ACI: everything right", "confidential-aci", issuer: east),
        PolicyPair(
            "ACI: another security policy", "confidential-aci", .container, [(host, .string(SampleTokens.newHostData))], issuer: east,
            reasons: ["\(host) different-value"]),
        PolicyPair(
            "ACI: host data in capital letters", "confidential-aci", .container, [(host, .string(SampleTokens.hostData.uppercased()))],
            issuer: east, reasons: ["\(host) differs-only-by-case"]),
        PolicyPair(
            "ACI: host data with a line end", "confidential-aci", .container, [(host, .string(SampleTokens.hostData + "\n"))], issuer: east,
            reasons: ["\(host) differs-only-by-white-space"]),
        PolicyPair(
            "ACI: a guest that may be debugged", "confidential-aci", .container, [(debug, true)], issuer: east,
            reasons: ["\(debug) different-value"]),
        PolicyPair("ACI: booleans as texts match", "confidential-aci", .container, [(debug, "false")], issuer: east),
        PolicyPair(
            "ACI: no endorsements, so no compliance status", "confidential-aci", .container, [("x-ms-compliance-status", nil)],
            issuer: east, reasons: ["x-ms-compliance-status missing-claim"]),
        PolicyPair(
            "ACI: compliance of a VM", "confidential-aci", .container, [("x-ms-compliance-status", "azure-compliant-cvm")], issuer: east,
            reasons: ["x-ms-compliance-status different-value"]),
        PolicyPair(
            "ACI: report of VMPL 1", "confidential-aci", .container, [("x-ms-sevsnpvm-vmpl", 1)], issuer: east,
            reasons: ["x-ms-sevsnpvm-vmpl different-value"]),
        PolicyPair(
            "ACI: VMPL as a fraction is the same number", "confidential-aci", .container, [("x-ms-sevsnpvm-vmpl", "0.0")], issuer: east,
            reasons: ["x-ms-sevsnpvm-vmpl same-number-other-text"]),
        PolicyPair(
            "ACI: a claim that became an object", "confidential-aci", .container, [(host, ["value": "x"])], issuer: east,
            reasons: ["\(host) not-comparable"]),
        PolicyPair(
            "ACI: a claim that is null is missing", "confidential-aci", .container, [(host, .null)], issuer: east,
            reasons: ["\(host) missing-claim"]),
        PolicyPair(
            "ACI: a number where a text is wanted", "confidential-aci", .container, [("x-ms-attestation-type", 7)], issuer: east,
            reasons: ["x-ms-attestation-type different-type"]),
        PolicyPair(
            "ACI: the token of a VM", "confidential-aci", .machine, issuer: east,
            reasons: [
                "x-ms-attestation-type different-value", "x-ms-compliance-status missing-claim", "\(debug) missing-claim",
                "x-ms-sevsnpvm-vmpl missing-claim", "\(host) missing-claim",
            ]),
        // Authorities
        PolicyPair("issuer with a slash", "confidential-aci", issuer: east + "/", reasons: ["iss differs-by-trailing-slash"]),
        PolicyPair(
            "issuer without https", "confidential-aci", issuer: "sharedeus2.eus2.attest.azure.net", reasons: ["iss differs-by-scheme"]),
        PolicyPair(
            "issuer in capital letters", "confidential-aci", issuer: "https://SharedEUS2.eus2.attest.azure.net",
            reasons: ["iss differs-by-case"]),
        PolicyPair(
            "own provider instead of the shared one", "confidential-aci", issuer: "https://contoso.eus2.attest.azure.net",
            reasons: ["iss shared-versus-own-provider"]),
        PolicyPair(
            "test environment", "confidential-aci", issuer: "https://sharedeus2.eus2.test.attest.azure.net",
            reasons: ["iss test-versus-production"]),
        PolicyPair("another region", "confidential-aci", issuer: SampleTokens.westEurope, reasons: ["iss not-an-authority"]),
        PolicyPair(
            "a host that only starts like the authority", "confidential-aci", issuer: east + ".example.org",
            reasons: ["iss not-an-authority"]),
        PolicyPair("no issuer", "confidential-aci", .container, [("iss", nil)], reasons: ["iss not-an-authority"]),
        PolicyPair("a recorded policy: slash in both", sdk, .container, [("sdk-test", true)], issuer: "https://a/"),
        PolicyPair(
            "a recorded policy: slash in one", sdk, .container, [("sdk-test", true)], issuer: "https://a",
            reasons: ["iss differs-by-trailing-slash"]),
        // Virtual nodes and versions
        PolicyPair("virtual nodes: everything right", "virtual-nodes", issuer: SampleTokens.westEurope),
        PolicyPair(
            "virtual nodes: an older guest", "virtual-nodes", .container, [("x-ms-sevsnpvm-guestsvn", 1)], issuer: SampleTokens.westEurope,
            reasons: ["x-ms-sevsnpvm-guestsvn out-of-range"]),
        PolicyPair(
            "virtual nodes: a guest that may be migrated", "virtual-nodes", .container, [("x-ms-sevsnpvm-migration-allowed", true)],
            issuer: SampleTokens.westEurope, reasons: ["x-ms-sevsnpvm-migration-allowed different-value"]),
        PolicyPair("versions: everything right", "minimum-versions"),
        PolicyPair("versions: newer is better", "minimum-versions", .container, [("x-ms-sevsnpvm-microcode-svn", 210)]),
        PolicyPair(
            "versions: 99 is less than 115", "minimum-versions", .container, [("x-ms-sevsnpvm-microcode-svn", "99")],
            reasons: ["x-ms-sevsnpvm-microcode-svn out-of-range"]),
        PolicyPair(
            "versions: no number", "minimum-versions", .container, [("x-ms-sevsnpvm-microcode-svn", "new")],
            reasons: ["x-ms-sevsnpvm-microcode-svn not-a-number"]),
        // Regions and rollouts
        PolicyPair("regions: the first", "multi-region", issuer: SampleTokens.northEurope),
        PolicyPair("regions: the last", "multi-region", issuer: "https://sharedsec.sec.attest.azure.net"),
        PolicyPair("regions: none of them", "multi-region", issuer: east, reasons: ["iss not-an-authority"]),
        PolicyPair(
            "regions: right region, wrong containers", "multi-region", .container, [(host, .string(SampleTokens.newHostData))],
            issuer: SampleTokens.westEurope, reasons: ["\(host) different-value"]),
        PolicyPair("rollout: the old deployment", "staged-rollout"),
        PolicyPair("rollout: the new one", "staged-rollout", .container, [(host, .string(SampleTokens.newHostData))]),
        PolicyPair(
            "rollout: a third one", "staged-rollout", .container, [(host, .string(String(repeating: "a", count: 64)))],
            reasons: ["\(host) different-value"]),
        // Confidential VMs
        PolicyPair("VM: everything right", "confidential-vm", .machine),
        PolicyPair(
            "VM: id in lower case", "confidential-vm", .machine, [("x-ms-azurevm-vmid", .string(SampleTokens.machine.lowercased()))],
            reasons: ["x-ms-azurevm-vmid differs-only-by-case"]),
        PolicyPair("VM: no secure boot", "confidential-vm", .machine, [("secureboot", false)], reasons: ["secureboot different-value"]),
        PolicyPair(
            "VM: a guest that may be debugged", "confidential-vm", .machine, [(tee + debug, true)],
            reasons: ["\(tee)\(debug) different-value"]),
        PolicyPair(
            "VM: firmware that Azure does not know", "confidential-vm", .machine, [(tee + "x-ms-compliance-status", nil)],
            reasons: ["\(tee)x-ms-compliance-status missing-claim"]),
        PolicyPair(
            "Microsoft's undotted sample with a VM's token", undotted, .machine,
            reasons: ["x-ms-attestation-type different-value", "x-ms-compliance-status missing-claim"]),
        PolicyPair(
            "a name that leads into an array", policyText(#"{"claim":"x-ms-azurevm-attested-pcrs.0","equals":"0"}"#), .machine,
            issuer: SampleTokens.northEurope, reasons: ["x-ms-azurevm-attested-pcrs.0 through-array"]),
        PolicyPair(
            "a value that is excluded", policyText(#"{"claim":"\#(host)","notEquals":"\#(SampleTokens.hostData)"}"#),
            reasons: ["\(host) equal-value"]),
        PolicyPair(
            "a claim that must not be there", policyText(#"{"claim":"x-ms-runtime","exists":"false"}"#),
            reasons: ["x-ms-runtime present-claim"]),
        // A provider of one's own
        PolicyPair(
            "own provider: its policy and its claim", "private-authority", .container,
            [("x-ms-policy-hash", "L47PbGAMfL7gjWgE6Tnod5ysC0yXnYt7J2LeYI1kyK4"), ("x-ms-policy.workload", "payments-new")],
            issuer: "https://contoso.weu.attest.azure.net"),
        PolicyPair(
            "own provider: its policy was changed", "private-authority", .container,
            [("x-ms-policy-hash", "9NY0VnTQ-IiBriBplVUpFbczcDaEBUwsiFYAzHu_gco"), ("x-ms-policy.workload", "payments-new")],
            issuer: "https://contoso.weu.attest.azure.net", reasons: ["x-ms-policy-hash different-value"]),
        PolicyPair(
            "own provider: no such claim", "private-authority", .container,
            [("x-ms-policy-hash", "L47PbGAMfL7gjWgE6Tnod5ysC0yXnYt7J2LeYI1kyK4")], issuer: "https://contoso.weu.attest.azure.net",
            reasons: ["x-ms-policy.workload missing-claim"]),
    ]

    @Test("verdict and named reason", arguments: pairs) func pair(_ pair: PolicyPair) throws {
        let claims = pair.claims
        var issuer = ""
        if case .string(let text)? = claims["iss"] { issuer = text }
        let outcome = try ReleasePolicy(json: pair.document).evaluate(claims: claims, issuer: issuer)
        let explanation = ReleaseExplanation(outcome, claims: claims)
        #expect(explanation.isSatisfied == pair.reasons.isEmpty, "\(explanation.text())")
        let reasons = explanation.smallestChange?.steps.map { "\($0.claim) \($0.reason)" } ?? []
        #expect(reasons == pair.reasons, "\(explanation.text())")
        // The same words are in the tree and on the page.
        let page = String(decoding: explanation.page(title: "test"), as: UTF8.self)
        for reason in pair.reasons.compactMap({ $0.split(separator: " ").last }) {
            #expect(explanation.text().contains(reason))
            #expect(page.contains(reason))
        }
    }

    @Test("there are enough pairs") func count() {
        #expect(Self.pairs.count >= 30)
        #expect(Set(Self.pairs.flatMap(\.reasons).compactMap { $0.split(separator: " ").last }).count >= 18)
    }

    @Test("every file of policies/release is admitted once and refused once, and lints clean", arguments: PolicyFiles.names("release"))
    func files(_ file: String) throws {
        let name = String(file.dropLast(".json".count))
        let document = try PolicyDocument(PolicyFiles.read("release/\(file)"))
        _ = try ReleasePolicy(json: document.text)
        // The demo's policy guards nothing: its guest has no endorsements and no workload of its own.
        guard name != "fixture-guest" else { return }
        let own = Self.pairs.filter { $0.policy == name }
        #expect(own.contains { $0.reasons.isEmpty }, "no token is admitted")
        #expect(own.contains { !$0.reasons.isEmpty }, "no token is refused")
        let findings = PolicyLinter().check(document).filter { $0.severity > .note }
        #expect(findings.map { "\($0.rule.rawValue): \($0.message)" } == [])
    }
}
