internal import StrictJSON

/// From a JSON value to a policy, by the grammar of ReleasePolicies.md, "Grammar".
enum PolicyParser {
    static func parse(_ value: JSONValue) throws(PolicyError) -> (String?, [AuthorityEntry]) {
        guard case .object(let document) = value else {
            throw PolicyError(.invalidValue, at: "", "a release policy is an object, not \(value.kindName)")
        }
        for member in document where member.key != "version" && member.key != "anyOf" {
            if member.key == "allOf" {
                throw PolicyError(
                    .missingAuthorities, at: "/allOf",
                    "the top level of a release policy is \"anyOf\" with a list of authorities, never \"allOf\"")
            }
            throw PolicyError(
                .unknownMember, at: pointer("", member.key), "a release policy has the members \"version\" and \"anyOf\" only")
        }
        let version = try version(document["version"])
        guard let list = document["anyOf"] else {
            throw PolicyError(.missingAuthorities, at: "", "\"anyOf\" with a list of authorities is missing")
        }
        let entries = try elements(of: list, at: "/anyOf", "authorities")
        var authorities: [AuthorityEntry] = []
        for (index, entry) in entries.enumerated() { authorities.append(try authority(entry, at: "/anyOf/\(index)")) }
        return (version, authorities)
    }

    private static func version(_ value: JSONValue?) throws(PolicyError) -> String? {
        guard let value else { return nil }
        guard case .string(let text) = value else {
            throw PolicyError(.invalidValue, at: "/version", "expected a string such as \"1.0.0\", not \(value.kindName)")
        }
        guard ReleasePolicy.knownVersions.contains(text) else {
            throw PolicyError(.unsupportedVersion, at: "/version", "unknown version; write \"1.0.0\"")
        }
        return text
    }

    private static func authority(_ value: JSONValue, at place: String) throws(PolicyError) -> AuthorityEntry {
        guard case .object(let entry) = value else {
            throw PolicyError(.invalidValue, at: place, "expected an object with \"authority\", found \(value.kindName)")
        }
        for member in entry where !["authority", "anyOf", "allOf"].contains(member.key) {
            throw PolicyError(
                .unknownMember, at: pointer(place, member.key),
                "an authority has the members \"authority\" and either \"allOf\" or \"anyOf\"")
        }
        guard let name = entry["authority"] else { throw PolicyError(.missingMember, at: place, "\"authority\" is missing") }
        guard case .string(let text) = name, !text.isEmpty else {
            throw PolicyError(.invalidValue, at: place + "/authority", "expected a string such as \"https://host\", not \(found(name))")
        }
        guard let group = try group(entry, at: place, level: 1) else {
            throw PolicyError(.missingMember, at: place, "\"allOf\" or \"anyOf\" with a list of conditions is missing")
        }
        return AuthorityEntry(pointer: place, authority: text, conditions: group)
    }

    /// The `anyOf` or `allOf` of an object, `nil` where it has neither.
    private static func group(_ object: JSONObject, at place: String, level: Int) throws(PolicyError) -> ConditionGroup? {
        let any = object["anyOf"]
        let all = object["allOf"]
        guard any == nil || all == nil else {
            throw PolicyError(.ambiguous, at: place, "\"anyOf\" and \"allOf\" exclude each other; nest one in the other")
        }
        guard let list = any ?? all else { return nil }
        guard level <= ReleasePolicy.maximumNesting else {
            throw PolicyError(.tooDeep, at: place, "conditions nest deeper than \(ReleasePolicy.maximumNesting) levels")
        }
        let join: ConditionGroup.Join = any != nil ? .any : .all
        let listPlace = pointer(place, join.rawValue)
        var conditions: [Condition] = []
        for (index, element) in try elements(of: list, at: listPlace, "conditions").enumerated() {
            conditions.append(try condition(element, at: "\(listPlace)/\(index)", level: level))
        }
        return ConditionGroup(pointer: listPlace, join: join, conditions: conditions)
    }

    private static func condition(_ value: JSONValue, at place: String, level: Int) throws(PolicyError) -> Condition {
        guard case .object(let object) = value else {
            throw PolicyError(.invalidValue, at: place, "expected a condition (an object), found \(value.kindName)")
        }
        if let group = try group(object, at: place, level: level + 1) {
            for member in object where member.key != group.join.rawValue {
                throw PolicyError(
                    .unknownMember, at: pointer(place, member.key), "a nested \"\(group.join.rawValue)\" stands alone in its object")
            }
            return .group(group)
        }
        return .claim(try claim(object, at: place))
    }

    private static func claim(_ object: JSONObject, at place: String) throws(PolicyError) -> ClaimCondition {
        guard let name = object["claim"] else { throw PolicyError(.missingMember, at: place, "expected \"claim\", \"anyOf\" or \"allOf\"") }
        guard case .string(let claim) = name, isPath(claim) else {
            throw PolicyError(.invalidValue, at: place + "/claim", "expected the name of a claim without empty parts, not \(found(name))")
        }
        // The form of the first preview, kept as an alias: {"claim": c, "condition": operator, "value": v}.
        if let condition = object["condition"] {
            for member in object where !["claim", "condition", "value"].contains(member.key) {
                throw PolicyError(
                    .unknownMember, at: pointer(place, member.key), "next to \"condition\" only \"claim\" and \"value\" are known")
            }
            guard case .string(let word) = condition, let op = ClaimCondition.Operator(rawValue: word) else {
                throw PolicyError(.invalidValue, at: place + "/condition", "not one of \(operatorList)")
            }
            guard let wanted = object["value"] else { throw PolicyError(.missingMember, at: place, "\"value\" is missing") }
            let operand = try operand(wanted, for: op, at: place + "/value")
            return ClaimCondition(pointer: place, claim: claim, operator: op, wanted: operand)
        }
        var found: (ClaimCondition.Operator, JSONValue)?
        for member in object where member.key != "claim" {
            guard let op = ClaimCondition.Operator(rawValue: member.key) else {
                throw PolicyError(.unknownMember, at: pointer(place, member.key), "not an operator; known are \(operatorList)")
            }
            guard found == nil else { throw PolicyError(.ambiguous, at: place, "a condition has exactly one operator") }
            found = (op, try operand(member.value, for: op, at: pointer(place, member.key)))
        }
        guard let (op, wanted) = found else {
            throw PolicyError(.missingMember, at: place, "an operator is missing; known are \(operatorList)")
        }
        return ClaimCondition(pointer: place, claim: claim, operator: op, wanted: wanted)
    }

    private static func operand(_ value: JSONValue, for op: ClaimCondition.Operator, at place: String) throws(PolicyError) -> JSONValue {
        switch (op, value) {
        case (_, .object), (_, .array), (_, .null):
            throw PolicyError(.invalidValue, at: place, "expected a string, a number or a boolean, found \(value.kindName)")
        case (.exists, .boolean), (.exists, .string("true")), (.exists, .string("false")): return value
        case (.exists, _): throw PolicyError(.invalidValue, at: place, "\"exists\" takes \"true\" or \"false\"")
        case (.less, _), (.lessOrEquals, _), (.greater, _), (.greaterOrEquals, _):
            guard DecimalNumber(value) != nil else {
                throw PolicyError(.invalidValue, at: place, "\"\(op.rawValue)\" takes a number, found \(found(value))")
            }
            return value
        case (.equals, _), (.notEquals, _): return value
        }
    }

    private static func elements(of value: JSONValue, at place: String, _ what: String) throws(PolicyError) -> [JSONValue] {
        guard case .array(let elements) = value else {
            throw PolicyError(.invalidValue, at: place, "expected a list of \(what), found \(value.kindName)")
        }
        guard !elements.isEmpty else { throw PolicyError(.empty, at: place, "the list of \(what) is empty") }
        return elements
    }

    private static func isPath(_ claim: String) -> Bool {
        !claim.isEmpty && claim.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
    }

    private static func found(_ value: JSONValue) -> String {
        if case .string(let text) = value { return text.isEmpty ? "an empty string" : "this text" }
        return value.kindName
    }

    private static let operatorList = ClaimCondition.Operator.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
}
