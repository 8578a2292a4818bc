package import StrictJSON

extension ReleasePolicy {
    /// Judges the claims of a token. The caller verifies the token's signature and times; this looks at `issuer` and `claims` alone.
    package func evaluate(claims: JSONObject, issuer: String) -> PolicyOutcome {
        var outcomes: [AuthorityOutcome] = []
        for entry in authorities {
            outcomes.append(
                AuthorityOutcome(
                    pointer: entry.pointer, authority: entry.authority, match: AuthorityMatch(issuer: issuer, authority: entry.authority),
                    conditions: Self.judge(entry.conditions, claims)))
        }
        let isSatisfied = outcomes.contains { $0.isSatisfied }
        // The order of the policy decides between equals, so the sort key ends with the position.
        let ordered = outcomes.enumerated().sorted { left, right in
            let a = (left.element.distance, left.element.conditions.unsatisfiedCount, left.offset)
            let b = (right.element.distance, right.element.conditions.unsatisfiedCount, right.offset)
            return a < b
        }
        return PolicyOutcome(isSatisfied: isSatisfied, issuer: issuer, authorities: ordered.map(\.element))
    }

    private static func judge(_ group: ConditionGroup, _ claims: JSONObject) -> GroupOutcome {
        let conditions = group.conditions.map { condition -> ConditionOutcome in
            switch condition {
            case .group(let nested): .group(judge(nested, claims))
            case .claim(let claim): .claim(judge(claim, claims))
            }
        }
        let isSatisfied =
            switch group.join {
            case .all: conditions.allSatisfy(\.isSatisfied)
            case .any: conditions.contains { $0.isSatisfied }
            }
        return GroupOutcome(pointer: group.pointer, join: group.join, isSatisfied: isSatisfied, conditions: conditions)
    }

    private static func judge(_ condition: ClaimCondition, _ claims: JSONObject) -> ClaimOutcome {
        let lookup = ClaimLookup(condition.claim, in: claims)
        var actual: JSONValue?
        if case .found(let value) = lookup { actual = value }
        return ClaimOutcome(
            pointer: condition.pointer, claim: condition.claim, operator: condition.operator, wanted: condition.wanted, actual: actual,
            reason: reason(condition, lookup))
    }

    private static func reason(_ condition: ClaimCondition, _ lookup: ClaimLookup) -> ClaimReason {
        if condition.operator == .exists {
            let wantsPresence = condition.wanted == .boolean(true) || condition.wanted == .string("true")
            if case .found = lookup { return wantsPresence ? .satisfied : .presentClaim }
            return wantsPresence ? .missingClaim : .satisfied
        }
        switch lookup {
        case .missing: return .missingClaim
        case .throughArray: return .throughArray
        case .found(let actual):
            switch condition.operator {
            case .equals: return ScalarComparison.equality(wanted: condition.wanted, actual: actual)
            case .notEquals:
                return switch ScalarComparison.equality(wanted: condition.wanted, actual: actual) {
                case .satisfied: .equalValue
                case .notComparable: .notComparable
                default: .satisfied
                }
            case .less: return ScalarComparison.order(wanted: condition.wanted, actual: actual) { $0 < $1 }
            case .lessOrEquals: return ScalarComparison.order(wanted: condition.wanted, actual: actual) { $0 <= $1 }
            case .greater: return ScalarComparison.order(wanted: condition.wanted, actual: actual) { $0 > $1 }
            case .greaterOrEquals: return ScalarComparison.order(wanted: condition.wanted, actual: actual) { $0 >= $1 }
            case .exists: return .satisfied
            }
        }
    }
}

extension AuthorityOutcome {
    /// 0 for the issuer itself, then the more distant the less likely that it was meant.
    fileprivate var distance: Int { AuthorityMatch.allCases.firstIndex(of: match) ?? AuthorityMatch.allCases.count }
}

extension GroupOutcome {
    /// How many conditions would have to change; of alternatives only the nearest counts.
    package var unsatisfiedCount: Int {
        let counts = conditions.map { condition in
            switch condition {
            case .claim(let claim): claim.isSatisfied ? 0 : 1
            case .group(let group): group.unsatisfiedCount
            }
        }
        return switch join {
        case .all: counts.reduce(0, +)
        case .any: counts.min() ?? 0
        }
    }
}
