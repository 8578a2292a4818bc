internal import PlainText
package import StrictJSON

extension ReleaseExplanation {
    /// `{"verdict","meaning","premise","summary","issuer","authorities":[…],"smallest_change":{…}|null}`; the shape is documented at the
    /// members below, `premise` at `Premise`. It is null where the token was verified.
    ///
    /// Of many authorities the first `authorityLimit` are in it and `authorities_left_out` counts the rest. Long values are shortened as in
    /// the text; objects and arrays of a token are named by their kind.
    package func json(authorityLimit: Int = .max) -> JSONValue {
        let shown = outcome.authorities.prefix(max(authorityLimit, 1))
        var members: [(String, JSONValue)] = [
            ("verdict", .string(verdict)), ("meaning", .string(meaning.joined(separator: "; "))), ("premise", premise?.json ?? .null),
            ("summary", .string(summary)), ("issuer", Self.shortened(outcome.issuer)), ("authorities", .array(shown.map(Self.json))),
        ]
        if shown.count < outcome.authorities.count {
            members.append(("authorities_left_out", .integer(Int64(outcome.authorities.count - shown.count))))
        }
        if !undecidedClaims.isEmpty { members.append(("undecided_claims", .array(undecidedClaims.map { .string($0) }))) }
        members.append(("smallest_change", smallestChange?.json ?? .null))
        return .object(JSONObject(members))
    }

    /// `{"pointer","authority","match","satisfied","changes_needed","conditions"}`; `match` is an `AuthorityMatch`.
    private static func json(_ entry: AuthorityOutcome) -> JSONValue {
        let changes = (entry.match == .exact ? 0 : 1) + entry.conditions.unsatisfiedCount
        return [
            "pointer": .string(entry.pointer), "authority": shortened(entry.authority), "match": .string(entry.match.rawValue),
            "satisfied": .boolean(entry.isSatisfied), "changes_needed": .integer(Int64(changes)), "conditions": json(entry.conditions),
        ]
    }

    /// `{"pointer","join","satisfied","conditions":[…]}`; `join` is `anyOf` or `allOf`.
    private static func json(_ group: GroupOutcome) -> JSONValue {
        let conditions = group.conditions.map { condition -> JSONValue in
            switch condition {
            case .group(let nested): json(nested)
            case .claim(let claim): json(claim)
            }
        }
        return [
            "pointer": .string(group.pointer), "join": .string(group.join.rawValue), "satisfied": .boolean(group.isSatisfied),
            "conditions": .array(conditions),
        ]
    }

    /// `{"pointer","claim","operator","wanted","actual","satisfied","reason","detail"}`; `actual` is null where the token has no such
    /// claim, `reason` a `ClaimReason`.
    private static func json(_ claim: ClaimOutcome) -> JSONValue {
        [
            "pointer": .string(claim.pointer), "claim": shortened(claim.claim), "operator": .string(claim.operator.rawValue),
            "wanted": shortened(claim.wanted), "actual": claim.actual.map(shortened) ?? .null, "satisfied": .boolean(claim.isSatisfied),
            "reason": .string(claim.reason.rawValue), "detail": .string(ReasonWords.words(claim)),
        ]
    }

    private static func shortened(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): shortened(text)
        case .object, .array: .string("(\(value.kindName))")
        default: value
        }
    }

    private static func shortened(_ text: String) -> JSONValue { .string(VisibleText.shortened(text)) }
}
