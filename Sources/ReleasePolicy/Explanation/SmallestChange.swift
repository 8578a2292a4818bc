package import StrictJSON

/// The fewest changes after which a token would satisfy a policy, for the authority where they are fewest.
package struct SmallestChange: Sendable, Equatable {
    /// A replacement in the policy's text that mends one obstacle.
    package struct PolicyEdit: Sendable, Equatable {
        /// JSON pointer of the value to replace: `/anyOf/0/allOf/4/equals`.
        package let pointer: String
        package let value: JSONValue
        /// Whether the policy admits more afterwards than a spelling correction explains. Such an edit is a decision, not a repair.
        package let isWeakening: Bool
    }

    /// One obstacle and both ways around it.
    package struct Step: Sendable, Equatable {
        /// JSON pointer of the condition, or of the authority's entry.
        package let pointer: String
        /// The claim's name, or `iss` where the authority does not match.
        package let claim: String
        /// The evaluator's code: `different-value`, `differs-by-trailing-slash`.
        package let reason: String
        /// What stands in the way.
        package let problem: String
        /// What to change about the deployment or the request; `nil` where no change there helps.
        package let deployment: String?
        /// What to change in the policy; `nil` where that must not be done or cannot be said.
        package let policy: String?
        /// The same as data, where it is a plain replacement.
        package let edit: PolicyEdit?
    }

    /// The authority whose conditions are nearest to being met.
    package let authority: String
    /// JSON pointer of its entry.
    package let pointer: String
    /// In the order of the policy; the authority itself first. Never empty.
    package let steps: [Step]

    /// One line per step: the problem, then what to do.
    package var lines: [String] {
        steps.map { step in
            let ways = [step.deployment, step.policy].compactMap { $0 }
            return ([step.problem] + ways).joined(separator: "; ")
        }
    }

    /// `{"authority":…,"pointer":…,"steps":[{"pointer","claim","reason","problem","deployment","policy","policy_edit"}]}`; absent ways are
    /// null.
    package var json: JSONValue { ["authority": .string(authority), "pointer": .string(pointer), "steps": .array(steps.map(Self.json))] }

    private static func json(_ step: Step) -> JSONValue {
        var edit = JSONValue.null
        if let found = step.edit {
            edit = ["pointer": .string(found.pointer), "value": found.value, "weakens_policy": .boolean(found.isWeakening)]
        }
        return [
            "pointer": .string(step.pointer), "claim": .string(step.claim), "reason": .string(step.reason),
            "problem": .string(step.problem), "deployment": step.deployment.map { .string($0) } ?? .null,
            "policy": step.policy.map { .string($0) } ?? .null, "policy_edit": edit,
        ]
    }
}
