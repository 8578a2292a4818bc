internal import BrokerCore
internal import PlainText
internal import ReleasePolicy
internal import StrictJSON

/// An evaluator's verdict as plain, bounded, printable values. Texts of policies and tokens are somebody else's.
struct ShownOutcome {
    let summary: String
    let steps: [String]
    let authorities: [BrokerError.Details.Authority]

    /// A policy may have thousands of clauses; an error answer has not.
    private static let maximumAuthorities = 5
    private static let maximumClauses = 200
    private static let maximumSteps = 8

    init(_ explanation: ReleaseExplanation) {
        summary = Self.text(explanation.summary, limit: 1000)
        steps = (explanation.smallestChange?.lines ?? []).prefix(Self.maximumSteps).map { Self.text($0, limit: 1000) }
        var room = Self.maximumClauses
        let issuer = explanation.outcome.issuer
        authorities = explanation.outcome.authorities.prefix(Self.maximumAuthorities).map { entry in
            BrokerError.Details.Authority(
                authority: Self.text(entry.authority), issuer: Self.text(issuer), match: entry.match.rawValue,
                isSatisfied: entry.isSatisfied, conditions: Self.group(entry.conditions, &room))
        }
    }

    private static func group(_ group: GroupOutcome, _ room: inout Int) -> BrokerError.Details.Group {
        var conditions: [BrokerError.Details.Condition] = []
        for condition in group.conditions where room > 0 {
            room -= 1
            switch condition {
            case .group(let nested): conditions.append(.group(Self.group(nested, &room)))
            case .claim(let claim): conditions.append(.clause(clause(claim)))
            }
        }
        return BrokerError.Details.Group(join: group.join.rawValue, isSatisfied: group.isSatisfied, conditions: conditions)
    }

    private static func clause(_ claim: ClaimOutcome) -> BrokerError.Details.Clause {
        BrokerError.Details.Clause(
            claim: text(claim.claim), comparison: claim.operator.rawValue, wanted: value(claim.wanted), actual: claim.actual.map(value),
            isSatisfied: claim.isSatisfied, reason: claim.reason.rawValue)
    }

    private static func value(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): Self.text(text)
        case .integer(let number): String(number)
        case .real(let number): number.description
        case .boolean(let flag): flag ? "true" : "false"
        case .null: "null"
        case .object, .array: value.kindName
        }
    }

    /// One line without control characters and without anything that looks like a token.
    static func text(_ text: String, limit: Int = 200) -> String {
        VisibleText.shortened(UpstreamText.line(text, limit: .max) ?? "", to: limit)
    }
}
