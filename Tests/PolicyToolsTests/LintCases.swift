import PolicyTools
import Testing

/// Texts of policies for the rules.
enum LintText {
    static let hostData = "d14f98512e78574d68e04dabc7d462f41d9d7aaa4e47fef658a8df935e151844"
    static let type = #"{"claim":"x-ms-attestation-type","equals":"sevsnpvm"}"#
    static let compliance = #"{"claim":"x-ms-compliance-status","equals":"azure-compliant-uvm"}"#
    static let debug = #"{"claim":"x-ms-sevsnpvm-is-debuggable","equals":"false"}"#
    static let vmpl = #"{"claim":"x-ms-sevsnpvm-vmpl","equals":"0"}"#
    static let host = #"{"claim":"x-ms-sevsnpvm-hostdata","equals":"\#(hostData)"}"#
    static let good = [type, compliance, debug, vmpl, host]
    static let tee = "x-ms-isolation-tee."

    static let machine = [
        #"{"claim":"x-ms-attestation-type","equals":"azurevm"}"#, #"{"claim":"\#(tee)x-ms-attestation-type","equals":"sevsnpvm"}"#,
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
        _ rule: LintRule, _ severity: LintFinding.Severity, bad: String, good: String = LintText.policy(LintText.good), words: String,
        isImmutable: Bool? = nil
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

extension RuleCase {
    /// One or more of every rule.
    static let all: [RuleCase] = [
        // The grammar
        RuleCase(.syntax, .error, bad: #"{"version":"1.0.0","anyOf":[}"#, words: "JSON"),
        RuleCase(
            .topLevelAllOf, .error, bad: #"{"version":"1.0.0","allOf":[{"authority":"https://a","allOf":[]}]}"#, words: "never \"allOf\""),
        RuleCase(.missingAuthorities, .error, bad: #"{"version":"1.0.0"}"#, words: "anyOf"),
        RuleCase(.unsupportedVersion, .error, bad: LintText.policy(LintText.good).replacing("1.0.0", with: "2.0"), words: "1.0.0"),
        RuleCase(.missingMember, .error, bad: LintText.with(#"{"equals":"1"}"#), words: "claim"),
        RuleCase(.unknownMember, .error, bad: LintText.with(#"{"claim":"nonce","equal":"1"}"#), words: "not an operator"),
        RuleCase(.invalidValue, .error, bad: LintText.with(#"{"claim":"nonce","equals":["1"]}"#), words: "expected"),
        RuleCase(.emptyList, .error, bad: LintText.with(#"{"anyOf":[]}"#), words: "empty"),
        RuleCase(.ambiguous, .error, bad: LintText.with(#"{"claim":"nonce","equals":"1","less":2}"#), words: "one operator"),
        RuleCase(
            .tooDeep, .error,
            bad: LintText.with(String(repeating: #"{"allOf":["#, count: 10) + LintText.vmpl + String(repeating: "]}", count: 10)),
            good: LintText.with(
                String(repeating: #"{"allOf":["#, count: 9) + #"{"claim":"nonce","equals":"1"}"# + String(repeating: "]}", count: 9)),
            words: "nest deeper"),
        RuleCase(
            .previewForm, .warning, bad: LintText.with(#"{"claim":"x-ms-ver","condition":"equals","value":"1.0"}"#),
            good: LintText.with(#"{"claim":"x-ms-ver","equals":"1.0"}"#), words: "first preview"),
        RuleCase(.oldVersion, .warning, bad: LintText.policy(LintText.good).replacing("1.0.0", with: "0.2"), words: "version"),
        // Authorities
        RuleCase(
            .impossibleAuthority, .error, bad: LintText.authority("https://sharedeus2.weu2.attest.azure.net"),
            good: LintText.authority("https://sharedeus2.eus2.attest.azure.net"), words: "cannot exist"),
        RuleCase(
            .unknownRegion, .warning, bad: LintText.authority("https://contoso.wux.attest.azure.net"),
            good: LintText.authority("https://contoso.weu.attest.azure.net"), words: "no region code"),
        RuleCase(.trailingSlash, .warning, bad: LintText.authority("https://sharedneu.neu.attest.azure.net/"), words: "ends with a slash"),
        RuleCase(.authorityScheme, .error, bad: LintText.authority("sharedneu.neu.attest.azure.net"), words: "https://"),
        RuleCase(.authorityCase, .error, bad: LintText.authority("https://SharedNeu.neu.attest.azure.net"), words: "capital"),
        RuleCase(
            .authorityPath, .error, bad: LintText.authority("https://sharedneu.neu.attest.azure.net/certs"), words: "follows the host"),
        RuleCase(
            .testEnvironment, .warning, bad: LintText.authority("https://sharedweu.weu.test.attest.azure.net"),
            good: LintText.authority("https://sharedweu.weu.attest.azure.net"), words: "test environment"),
        RuleCase(
            .foreignAuthority, .warning, bad: LintText.authority("https://sharedneu.neu.attest.azure.net.example.org"),
            words: "not a host of Azure Attestation"),
        // Claims and values
        RuleCase(
            .unknownClaim, .error, bad: LintText.with(#"{"claim":"x-ms-sevsnpvm-microcodesvn","greaterOrEquals":115}"#),
            good: LintText.with(#"{"claim":"x-ms-sevsnpvm-microcode-svn","greaterOrEquals":115}"#), words: "no token"),
        RuleCase(
            .claimCase, .error, bad: LintText.with(#"{"claim":"x-ms-sevsnpvm-familyid","equals":"01000000000000000000000000000000"}"#),
            good: LintText.with(#"{"claim":"x-ms-sevsnpvm-familyId","equals":"01000000000000000000000000000000"}"#),
            words: "x-ms-sevsnpvm-familyId"),
        RuleCase(
            .structureClaim, .error, bad: LintText.with(#"{"claim":"x-ms-runtime","equals":"1"}"#),
            good: LintText.with(#"{"claim":"x-ms-runtime.tenant","equals":"1"}"#), words: "object or an array"),
        RuleCase(
            .valueCase, .error, bad: LintText.policy(LintText.good).replacing(LintText.hostData, with: LintText.hostData.uppercased()),
            words: "lower-case"),
        RuleCase(
            .valueForm, .error, bad: LintText.policy(LintText.good).replacing(LintText.hostData, with: "0x" + LintText.hostData),
            words: "without 0x"),
        RuleCase(.valueType, .error, bad: LintText.policy(LintText.good).replacing(#""false""#, with: "0"), words: "true or false"),
        RuleCase(
            .unknownValue, .warning, bad: LintText.policy(LintText.good).replacing("azure-compliant-uvm", with: "azure-compliant-uvms"),
            words: "no value"),
        RuleCase(.numberText, .error, bad: LintText.policy(LintText.good).replacing(#""0""#, with: #""0.0""#), words: "as texts"),
        RuleCase(
            .orderOfText, .warning, bad: LintText.with(#"{"claim":"x-ms-sevsnpvm-guestsvn","greaterOrEquals":"100"}"#),
            good: LintText.with(#"{"claim":"x-ms-sevsnpvm-guestsvn","greaterOrEquals":100}"#), words: "quotation"),
        RuleCase(
            .unsafeNumber, .warning, bad: LintText.with(#"{"claim":"x-ms-runtime.serial","equals":9007199254740993}"#),
            good: LintText.with(#"{"claim":"x-ms-runtime.serial","equals":9007199254740992}"#), words: "2^53"),
        RuleCase(
            .unverifiedOperator, .note, bad: LintText.with(#"{"claim":"nonce","exists":"true"}"#),
            good: LintText.with(#"{"claim":"nonce","equals":"1"}"#), words: "exists"),
        // The whole
        RuleCase(
            .containerStyle, .error, bad: LintText.policy(LintText.machine + [LintText.vmpl]), good: LintText.policy(LintText.machine),
            words: "no token meets them all"),
        RuleCase(
            .machineStyle, .error, bad: LintText.with(#"{"claim":"x-ms-isolation-tee.x-ms-sevsnpvm-guestsvn","equals":"2"}"#),
            good: LintText.with(#"{"claim":"x-ms-sevsnpvm-guestsvn","equals":"2"}"#), words: "flat"),
        RuleCase(.anyTenant, .error, bad: LintText.without(LintText.host), words: "admits any tenant's container group"),
        RuleCase(.missingDebug, .warning, bad: LintText.without(LintText.debug), words: "debugged"),
        RuleCase(
            .debugAdmitted, .error, bad: LintText.policy(LintText.good).replacing(#""false""#, with: #""true""#),
            words: "reads the released key"),
        RuleCase(.missingHostData, .warning, bad: LintText.without(LintText.host), words: "x-ms-sevsnpvm-hostdata"),
        RuleCase(
            .wellKnownHostData, .error,
            bad: LintText.policy(LintText.good).replacing(
                LintText.hostData, with: "73973b78d70cc68353426de188db5dfc57e5b766e399935fb73a61127ea26d20"), words: "allow-all"),
        RuleCase(.missingCompliance, .warning, bad: LintText.without(LintText.compliance), words: "compliance status"),
        RuleCase(
            .pinnedMeasurement, .warning,
            bad: LintText.with(#"{"claim":"x-ms-sevsnpvm-launchmeasurement","equals":"\#(String(repeating: "ab", count: 48))"}"#),
            words: "every update"),
        RuleCase(
            .contradiction, .error, bad: LintText.with(LintText.host.replacing("d14f", with: "e14f")),
            good: LintText.policy(
                LintText.good.dropLast() + [#"{"anyOf":[\#(LintText.host),\#(LintText.host.replacing("d14f", with: "e14f"))]}"#]),
            words: "no token meets this"),
        RuleCase(.repeated, .note, bad: LintText.with(LintText.vmpl), words: "says the same as /anyOf/0/allOf/3"),
        RuleCase(
            .tooManyAlternatives, .warning,
            bad: LintText.policy(LintText.good + Array(repeating: #"{"anyOf":[\#(LintText.vmpl),\#(LintText.debug)]}"#, count: 10)),
            good: LintText.policy(LintText.good + Array(repeating: #"{"anyOf":[\#(LintText.vmpl),\#(LintText.debug)]}"#, count: 9)),
            words: "not judged"),
        RuleCase(.immutable, .error, bad: LintText.without(LintText.debug), words: "never be mended", isImmutable: true),
    ]
}
