package import StrictJSON

/// What a policy says about a token, condition by condition.
package struct PolicyOutcome: Sendable, Equatable {
    /// Whether the policy releases the key to this token.
    package let isSatisfied: Bool
    /// The token's `iss`.
    package let issuer: String
    /// Every authority of the policy, the nearest to being satisfied first.
    package let authorities: [AuthorityOutcome]
}

/// One authority entry, judged.
package struct AuthorityOutcome: Sendable, Equatable {
    /// JSON pointer of the entry.
    package let pointer: String
    /// The authority that the policy wants.
    package let authority: String
    /// Whether the token's issuer is it, or how it fails to be.
    package let match: AuthorityMatch
    /// The conditions, judged also where the issuer does not match, because both may need a correction.
    package let conditions: GroupOutcome

    /// The issuer matches and the conditions hold.
    package var isSatisfied: Bool { match == .exact && conditions.isSatisfied }
}

/// How a token's issuer compares with the authority of a policy. Only `exact` counts.
package enum AuthorityMatch: String, Sendable, CaseIterable {
    case exact
    case differsByTrailingSlash = "differs-by-trailing-slash"
    /// `http` instead of `https`, or no scheme at all.
    case differsByScheme = "differs-by-scheme"
    case differsByCase = "differs-by-case"
    /// The shared provider of a region instead of the own one in the same region, or the reverse.
    case sharedVersusOwnProvider = "shared-versus-own-provider"
    /// A host of the test environment instead of production, or the reverse.
    case testVersusProduction = "test-versus-production"
    /// Another attestation provider.
    case notAnAuthority = "not-an-authority"
}

/// A list of conditions, judged.
package struct GroupOutcome: Sendable, Equatable {
    package let pointer: String
    package let join: ConditionGroup.Join
    package let isSatisfied: Bool
    /// In the order of the policy.
    package let conditions: [ConditionOutcome]
}

/// One condition, judged.
package enum ConditionOutcome: Sendable, Equatable {
    case claim(ClaimOutcome)
    case group(GroupOutcome)

    package var isSatisfied: Bool {
        switch self {
        case .claim(let claim): claim.isSatisfied
        case .group(let group): group.isSatisfied
        }
    }
}

/// A statement about one claim, judged.
package struct ClaimOutcome: Sendable, Equatable {
    /// JSON pointer of the condition.
    package let pointer: String
    package let claim: String
    package let `operator`: ClaimCondition.Operator
    /// The operand, as the policy writes it.
    package let wanted: JSONValue
    /// What the token says; `nil` where it says nothing.
    package let actual: JSONValue?
    package let reason: ClaimReason

    package var isSatisfied: Bool { reason == .satisfied }
}

/// Why a statement about a claim holds or does not.
package enum ClaimReason: String, Sendable, CaseIterable {
    case satisfied
    case missingClaim = "missing-claim"
    case differentValue = "different-value"
    /// Equal but for the case of letters: comparison is case-sensitive.
    case differsOnlyByCase = "differs-only-by-case"
    /// Equal but for white space at either end.
    case differsOnlyByWhiteSpace = "differs-only-by-white-space"
    /// The same number, written as another text: "1.0" and 1.
    case sameNumberOtherText = "same-number-other-text"
    /// A boolean or number where the policy wants other text, or the reverse.
    case differentType = "different-type"
    /// The claim is an object or an array, which has no text.
    case notComparable = "not-comparable"
    /// The name leads into an array.
    case throughArray = "through-array"
    /// An ordering operator met something that is no number.
    case notANumber = "not-a-number"
    /// A number, on the wrong side of the bound.
    case outOfRange = "out-of-range"
    /// `notEquals`, and the value is equal.
    case equalValue = "equal-value"
    /// `exists` "false", and the claim is there.
    case presentClaim = "present-claim"
}
