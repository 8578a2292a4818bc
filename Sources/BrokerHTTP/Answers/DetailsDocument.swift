package import BrokerCore
package import StrictJSON

/// The member `details` of an error answer.
///
/// `{"cause","summary","authorities":[{"authority","issuer","match","satisfied","conditions":GROUP}],"next_steps":[…]}`, where GROUP is
/// `{"join":"allOf"|"anyOf","satisfied","conditions":[GROUP or CLAUSE]}` and CLAUSE is
/// `{"claim","operator","wanted","actual","satisfied","reason"}`; `actual` is null where the token has no such claim.
package enum DetailsDocument {
    package static func json(_ details: BrokerError.Details) -> JSONValue {
        [
            "cause": .string(details.cause), "summary": .string(details.summary), "authorities": .array(details.authorities.map(json)),
            "next_steps": .array(details.nextSteps.map { .string($0) }),
        ]
    }

    private static func json(_ authority: BrokerError.Details.Authority) -> JSONValue {
        [
            "authority": .string(authority.authority), "issuer": .string(authority.issuer), "match": .string(authority.match),
            "satisfied": .boolean(authority.isSatisfied), "conditions": json(authority.conditions),
        ]
    }

    private static func json(_ group: BrokerError.Details.Group) -> JSONValue {
        let conditions = group.conditions.map { condition in
            switch condition {
            case .group(let nested): json(nested)
            case .clause(let clause): json(clause)
            }
        }
        return ["join": .string(group.join), "satisfied": .boolean(group.isSatisfied), "conditions": .array(conditions)]
    }

    private static func json(_ clause: BrokerError.Details.Clause) -> JSONValue {
        [
            "claim": .string(clause.claim), "operator": .string(clause.comparison), "wanted": .string(clause.wanted),
            "actual": clause.actual.map { .string($0) } ?? .null, "satisfied": .boolean(clause.isSatisfied),
            "reason": .string(clause.reason),
        ]
    }
}
