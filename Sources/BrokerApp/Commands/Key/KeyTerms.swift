internal import AzureKeyRelease
internal import BrokerCore
internal import PlainText
internal import ReleasePolicy
internal import StrictJSON

#if PolicyTools
    internal import PolicyTools
#endif

/// On what terms a key is released, in words and as JSON.
struct KeyTerms {
    let key: KeyDescription

    /// What lint calls an error in the policy: such a key is released to nobody, or to anybody.
    private let faults: [(code: String, message: String)]

    init(_ key: KeyDescription) {
        self.key = key
        #if PolicyTools
            let document = key.policyText.flatMap { try? PolicyDocument($0) }
            let findings = document.map { PolicyLinter(isImmutable: false).check($0) } ?? []
            faults = findings.filter { $0.severity == .error }.map { ($0.rule.rawValue, $0.message) }
        #else
            faults = []
        #endif
    }

    /// Exportable, with a policy that is understood and sound.
    private var isReleasable: Bool { key.isReleasable && faults.isEmpty }

    /// `releasable`, or why not.
    var verdict: String {
        if !key.isExportable { return "not releasable: it was made without the exportable attribute" }
        guard key.policyText != nil else { return "not releasable: it has no release policy" }
        guard key.policy != nil else { return "its policy is not one that this program understands" }
        if let fault = faults.first {
            let others = faults.count == 1 ? "" : " and \(faults.count - 1) more"
            return "faulty policy: \(fault.message) [\(fault.code)]\(others)"
        }
        if !key.isEnabled { return "not releasable now: it is disabled" }
        let now = SystemClock().now()
        if let start = key.notBefore, start > now { return "not releasable before \(RFC3339.format(start))" }
        if let end = key.expires, end <= now { return "not releasable any more: it expired \(RFC3339.format(end))" }
        return "releasable"
    }

    private var authorities: [AuthorityEntry] { key.policy?.authorities ?? [] }

    /// One line of a list.
    var line: String {
        guard isReleasable else { return "\(key.type)  \(verdict)" }
        let terms = authorities.map { entry in "\(entry.authority) with \(Self.claims(entry.conditions).joined(separator: ", "))" }
        let end = key.isImmutable ? "; immutable" : ""
        return "\(key.type)  \(verdict) to \(terms.joined(separator: " or "))\(end)"
    }

    var lines: [String] {
        var lines = [key.keyID, "  type        \(key.type)", "  release     \(verdict)"]
        if !key.operations.isEmpty { lines.append("  operations  \(key.operations.joined(separator: " "))") }
        if let start = key.notBefore { lines.append("  not before  \(RFC3339.format(start))") }
        if let end = key.expires { lines.append("  expires     \(RFC3339.format(end))") }
        guard key.policyText != nil else { return lines }
        lines.append("  policy      \(key.isImmutable ? "immutable: it can never be changed" : "can be changed")")
        for entry in authorities {
            lines.append("  authority   \(entry.authority)")
            lines += Self.describe(entry.conditions, indent: 4)
        }
        return lines
    }

    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("name", .string(key.name)), ("kid", .string(key.keyID)), ("kty", .string(key.type)), ("enabled", .boolean(key.isEnabled)),
            ("exportable", .boolean(key.isExportable)), ("releasable", .boolean(isReleasable)), ("verdict", .string(verdict)),
            ("immutable", .boolean(key.isImmutable)),
        ]
        if !faults.isEmpty { members.append(("policy_errors", .array(faults.map { .string($0.code) }))) }
        if let start = key.notBefore { members.append(("not_before", .integer(start))) }
        if let end = key.expires { members.append(("expires", .integer(end))) }
        if let text = key.policyText { members.append(("release_policy", (try? JSONValue.parse(text)) ?? .null)) }
        return .object(JSONObject(members))
    }

    private static func claims(_ group: ConditionGroup) -> [String] {
        group.conditions.flatMap { condition in
            switch condition {
            case .claim(let claim): [claim.claim]
            case .group(let nested): claims(nested)
            }
        }
    }

    private static func describe(_ group: ConditionGroup, indent: Int) -> [String] {
        let space = String(repeating: " ", count: indent)
        return ["\(space)\(group.join == .all ? "all of" : "any of")"]
            + group.conditions.flatMap { condition in
                switch condition {
                case .claim(let claim):
                    ["\(space)  \(claim.claim) \(claim.operator.rawValue) \(String(decoding: claim.wanted.serialized(), as: UTF8.self))"]
                case .group(let nested): describe(nested, indent: indent + 2)
                }
            }
    }
}
