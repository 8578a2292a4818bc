internal import StrictJSON

/// What each verdict of the evaluator means, for people. One sentence without a full stop; the codes themselves are the evaluator's.
package enum ReasonWords {
    package static func words(_ claim: ClaimOutcome) -> String {
        switch claim.reason {
        case .satisfied: "holds"
        case .missingClaim: "the token has no such claim"
        case .differentValue: "the values differ"
        case .differsOnlyByCase: "differs only by the case of letters; the comparison is case-sensitive"
        case .differsOnlyByWhiteSpace: "differs only by white space at an end"
        case .sameNumberOtherText: "the same number written differently; texts are compared"
        case .differentType: "the claim is \(claim.actual?.kindName ?? "absent"), which never equals this text"
        case .notComparable: "the claim is \(claim.actual?.kindName ?? "absent"), which cannot be compared"
        case .throughArray: "the name leads into an array, which policies cannot address"
        case .notANumber: "the claim is no number"
        case .outOfRange: "the number is on the wrong side of the bound"
        case .equalValue: "the value is the one that the policy excludes"
        case .presentClaim: "the claim is there, and the policy wants it absent"
        }
    }

    package static func words(_ match: AuthorityMatch) -> String {
        switch match {
        case .exact: "the token's issuer is this authority"
        case .differsByTrailingSlash:
            "the issuer differs only by the slash at the end; the texts are compared exactly, and issuers of Azure Attestation have none"
        case .differsByScheme: "the issuer differs by https:// at the start"
        case .differsByCase: "the issuer differs only by the case of letters"
        case .sharedVersusOwnProvider: "one is the region's shared provider, the other a provider of its own there"
        case .testVersusProduction: "one is a host of the test environment, the other of production"
        case .notAnAuthority: "the token comes from another attestation provider"
        }
    }

    /// An operator as it is read aloud: `at least`, `is not`.
    package static func words(_ operation: ClaimCondition.Operator) -> String {
        switch operation {
        case .equals: "equals"
        case .notEquals: "does not equal"
        case .less: "is less than"
        case .lessOrEquals: "is at most"
        case .greater: "is greater than"
        case .greaterOrEquals: "is at least"
        case .exists: "exists:"
        }
    }
}
