internal import ReleasePolicy
internal import StrictJSON

/// A condition on a claim, as the linter sees it.
struct LintClaim: Equatable {
    let pointer: String
    let name: String
    let operation: ClaimCondition.Operator
    let wanted: JSONValue
    /// Member that holds the operand: the operator's name, or `value` in the form of the first preview.
    let operandMember: String

    var operandPointer: String { "\(pointer)/\(operandMember)" }
    /// The operand as the evaluator compares it; `nil` for fractions, which no claim has.
    var wantedText: String? {
        switch wanted {
        case .string(let text): text
        case .integer(let number): String(number)
        case .boolean(let flag): flag ? "true" : "false"
        default: nil
        }
    }
}

/// Conditions of an entry.
indirect enum LintNode: Equatable {
    case claim(LintClaim)
    case all([LintNode])
    case any([LintNode])
}

/// One authority with what it demands.
struct LintEntry {
    let pointer: String
    /// `nil` where it is missing or no string.
    let authority: String?
    let conditions: LintNode
}

/// What can be understood of a document, also where the grammar refuses it: a policy with a wrong `allOf` at the top has other faults worth
/// naming at once.
enum LintOutline {
    private static let depthLimit = 32

    static func entries(_ document: JSONValue) -> [LintEntry] {
        guard case .object(let policy) = document else { return [] }
        let name = policy["anyOf"] != nil ? "anyOf" : "allOf"
        guard case .array(let list)? = policy[name] else { return [] }
        return list.enumerated().compactMap { index, element in
            guard case .object(let entry) = element else { return nil }
            let pointer = "/\(name)/\(index)"
            var authority: String?
            if case .string(let text)? = entry["authority"] { authority = text }
            guard let conditions = group(entry, at: pointer, depth: 0) else { return nil }
            return LintEntry(pointer: pointer, authority: authority, conditions: conditions)
        }
    }

    private static func group(_ object: JSONObject, at pointer: String, depth: Int) -> LintNode? {
        guard depth < depthLimit else { return nil }
        let name = object["anyOf"] != nil ? "anyOf" : "allOf"
        guard case .array(let list)? = object[name] else { return nil }
        let nodes = list.enumerated().compactMap { index, element -> LintNode? in
            guard case .object(let condition) = element else { return nil }
            let place = "\(pointer)/\(name)/\(index)"
            return group(condition, at: place, depth: depth + 1) ?? claim(condition, at: place).map { .claim($0) }
        }
        return name == "anyOf" ? .any(nodes) : .all(nodes)
    }

    private static func claim(_ object: JSONObject, at pointer: String) -> LintClaim? {
        guard case .string(let name)? = object["claim"] else { return nil }
        if case .string(let word)? = object["condition"], let operation = ClaimCondition.Operator(rawValue: word),
            let wanted = object["value"]
        {
            return LintClaim(pointer: pointer, name: name, operation: operation, wanted: wanted, operandMember: "value")
        }
        for operation in ClaimCondition.Operator.allCases {
            guard let wanted = object[operation.rawValue] else { continue }
            return LintClaim(pointer: pointer, name: name, operation: operation, wanted: wanted, operandMember: operation.rawValue)
        }
        return nil
    }
}

extension LintNode {
    /// Every condition, in the order of the document.
    var claims: [LintClaim] {
        switch self {
        case .claim(let claim): [claim]
        case .all(let nodes), .any(let nodes): nodes.flatMap(\.claims)
        }
    }

    /// The alternatives: sets of conditions of which each alone satisfies the node. `nil` when there are more than `limit`.
    func alternatives(limit: Int) -> [[LintClaim]]? {
        switch self {
        case .claim(let claim): return [[claim]]
        case .any(let nodes):
            var result: [[LintClaim]] = []
            for node in nodes {
                guard let more = node.alternatives(limit: limit) else { return nil }
                result += more
                if result.count > limit { return nil }
            }
            return result
        case .all(let nodes):
            var result: [[LintClaim]] = [[]]
            for node in nodes {
                guard let more = node.alternatives(limit: limit), result.count * more.count <= limit else { return nil }
                result = result.flatMap { left in more.map { left + $0 } }
            }
            return result
        }
    }
}
