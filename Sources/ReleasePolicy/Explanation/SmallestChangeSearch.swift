internal import PlainText
internal import StrictJSON

/// Finds the smallest change in an outcome.
struct SmallestChangeSearch {
    let outcome: PolicyOutcome
    /// The token's claims, where they are known: a claim may be there under the name of the other kind of token.
    let claims: JSONObject?

    var result: SmallestChange? {
        guard !outcome.isSatisfied else { return nil }
        // The nearest authority comes first, so it wins among equals.
        var best: (entry: AuthorityOutcome, cost: Int)?
        for entry in outcome.authorities {
            let cost = (entry.match == .exact ? 0 : 1) + entry.conditions.unsatisfiedCount
            if cost < best?.cost ?? .max { best = (entry, cost) }
        }
        guard let entry = best?.entry else { return nil }
        var steps: [SmallestChange.Step] = []
        if entry.match != .exact { steps.append(step(entry)) }
        collect(entry.conditions, into: &steps)
        return SmallestChange(authority: entry.authority, pointer: entry.pointer, steps: steps)
    }

    private func collect(_ group: GroupOutcome, into steps: inout [SmallestChange.Step]) {
        guard !group.isSatisfied else { return }
        let needed: [ConditionOutcome]
        switch group.join {
        case .all: needed = group.conditions
        case .any: needed = group.conditions.min { Self.cost($0) < Self.cost($1) }.map { [$0] } ?? []
        }
        for condition in needed {
            switch condition {
            case .claim(let claim) where !claim.isSatisfied: steps.append(step(claim))
            case .claim: break
            case .group(let nested): collect(nested, into: &steps)
            }
        }
    }

    private static func cost(_ condition: ConditionOutcome) -> Int {
        switch condition {
        case .claim(let claim): claim.isSatisfied ? 0 : 1
        case .group(let group): group.unsatisfiedCount
        }
    }

    // MARK: The authority

    private func step(_ entry: AuthorityOutcome) -> SmallestChange.Step {
        let issuer = VisibleText.quoted(outcome.issuer)
        let isSpelling =
            switch entry.match {
            case .differsByTrailingSlash, .differsByScheme, .differsByCase: true
            default: false
            }
        let edit =
            outcome.issuer.isEmpty
            ? nil
            : SmallestChange.PolicyEdit(pointer: entry.pointer + "/authority", value: .string(outcome.issuer), isWeakening: !isSpelling)
        let problem =
            outcome.issuer.isEmpty
            ? "the token names no issuer (iss)"
            : "the token was issued by \(issuer), the policy wants \(VisibleText.quoted(entry.authority))"
        let policy: String?
        if outcome.issuer.isEmpty {
            policy = nil
        } else if isSpelling {
            policy = "or write \(issuer) at \(entry.pointer)/authority"
        } else {
            policy = "or, if that provider is to be trusted with this key, add an entry with the authority \(issuer)"
        }
        return SmallestChange.Step(
            pointer: entry.pointer, claim: "iss", reason: entry.match.rawValue, problem: problem,
            deployment: "ask \(VisibleText.quoted(entry.authority)) for the token", policy: policy, edit: edit)
    }

    // MARK: One claim

    private func step(_ claim: ClaimOutcome) -> SmallestChange.Step {
        let found = claim.actual.map { "the token has \(VisibleText.value($0))" } ?? "the token has nothing"
        let operation = ReasonWords.words(claim.operator)
        let problem =
            "\(VisibleText.name(claim.claim)) \(operation) \(VisibleText.value(claim.wanted)) is wanted, \(found)"
            + " (\(claim.reason.rawValue))"
        if claim.reason == .missingClaim, let renamed = otherStyle(of: claim) {
            return SmallestChange.Step(
                pointer: claim.pointer, claim: claim.claim, reason: claim.reason.rawValue, problem: problem, deployment: nil,
                policy: "this token says it under the name \(VisibleText.quoted(renamed)): write that at \(claim.pointer)/claim",
                edit: .init(pointer: claim.pointer + "/claim", value: .string(renamed), isWeakening: false))
        }
        let edit = edit(claim)
        return SmallestChange.Step(
            pointer: claim.pointer, claim: claim.claim, reason: claim.reason.rawValue, problem: problem,
            deployment: DeploymentAdvice.words(for: claim), policy: policyWords(claim, edit), edit: edit)
    }

    private func policyWords(_ claim: ClaimOutcome, _ edit: SmallestChange.PolicyEdit?) -> String? {
        if DeploymentAdvice.mustNotBeAdmitted(claim) { return "the policy is right: do not change it" }
        guard let edit else { return nil }
        let value = VisibleText.value(edit.value)
        switch ClaimName(claim.claim).base {
        case "x-ms-sevsnpvm-hostdata" where claim.reason == .differentValue:
            return
                "or, if the deployment that runs now is to have the key, admit its host data as well: an anyOf of the old and the new "
                + "value at \(claim.pointer)"
        default:
            return edit.isWeakening
                ? "or, if the policy is to admit this, write \(value) at \(edit.pointer)" : "or write \(value) at \(edit.pointer)"
        }
    }

    /// The replacement of the operand that makes the condition hold for this token.
    private func edit(_ claim: ClaimOutcome) -> SmallestChange.PolicyEdit? {
        guard !DeploymentAdvice.mustNotBeAdmitted(claim), let actual = claim.actual, let text = Self.text(actual) else { return nil }
        let pointer = "\(claim.pointer)/\(claim.operator.rawValue)"
        switch (claim.operator, claim.reason) {
        case (.equals, .differsOnlyByCase), (.equals, .differsOnlyByWhiteSpace), (.equals, .sameNumberOtherText):
            return .init(pointer: pointer, value: .string(text), isWeakening: false)
        case (.equals, .differentValue), (.equals, .differentType): return .init(pointer: pointer, value: .string(text), isWeakening: true)
        case (.greaterOrEquals, .outOfRange), (.lessOrEquals, .outOfRange): return .init(pointer: pointer, value: actual, isWeakening: true)
        default: return nil
        }
    }

    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .integer(let number): String(number)
        case .boolean(let flag): flag ? "true" : "false"
        // Numbers with a fraction have no place in these tokens; their canonical text is the evaluator's business.
        case .real, .object, .array, .null: nil
        }
    }

    /// The claim's name in the other kind of token, where this token has it there and it would hold.
    private func otherStyle(of claim: ClaimOutcome) -> String? {
        guard let claims else { return nil }
        let name = ClaimName(claim.claim).otherStyle
        let issuer = "x"
        let probe: JSONValue = [
            "anyOf": [["authority": .string(issuer), "allOf": [["claim": .string(name), claim.operator.rawValue: claim.wanted]]]]
        ]
        guard let policy = try? ReleasePolicy(probe), policy.evaluate(claims: claims, issuer: issuer).isSatisfied else { return nil }
        return name
    }
}
