public import StrictJSON

/// The fewest changes after which a token would satisfy a policy, for the authority where they are fewest.
public struct SmallestChange: Sendable, Equatable {
    /// A replacement in the policy's text that mends one obstacle.
    public struct PolicyEdit: Sendable, Equatable {
        /// JSON pointer of the value to replace: `/anyOf/0/allOf/4/equals`.
        public let pointer: String
        public let value: JSONValue
        /// Whether the policy admits more afterwards than a spelling correction explains. Such an edit is a decision, not a repair.
        public let isWeakening: Bool
    }

    /// One obstacle and both ways around it.
    public struct Step: Sendable, Equatable {
        /// JSON pointer of the condition, or of the authority's entry.
        public let pointer: String
        /// The claim's name, or `iss` where the authority does not match.
        public let claim: String
        /// The evaluator's code: `different-value`, `differs-by-trailing-slash`.
        public let reason: String
        /// What stands in the way.
        public let problem: String
        /// What to change about the deployment or the request; `nil` where no change there helps.
        public let deployment: String?
        /// What to change in the policy; `nil` where that must not be done or cannot be said.
        public let policy: String?
        /// The same as data, where it is a plain replacement.
        public let edit: PolicyEdit?
    }

    /// The authority whose conditions are nearest to being met.
    public let authority: String
    /// JSON pointer of its entry.
    public let pointer: String
    /// In the order of the policy; the authority itself first. Never empty.
    public let steps: [Step]

    /// One line per step: the problem, then what to do.
    public var lines: [String] {
        steps.map { step in
            let ways = [step.deployment, step.policy].compactMap { $0 }
            return ([step.problem] + ways).joined(separator: "; ")
        }
    }

    /// `{"authority":…,"pointer":…,"steps":[{"pointer","claim","reason","problem","deployment","policy","policy_edit"}]}`; absent ways are null.
    public var json: JSONValue {
        [
            "authority": .string(authority), "pointer": .string(pointer),
            "steps": .array(steps.map(Self.json)),
        ]
    }

    private static func json(_ step: Step) -> JSONValue {
        var edit = JSONValue.null
        if let found = step.edit {
            edit = [
                "pointer": .string(found.pointer), "value": found.value, "weakens_policy": .boolean(found.isWeakening),
            ]
        }
        return [
            "pointer": .string(step.pointer), "claim": .string(step.claim), "reason": .string(step.reason),
            "problem": .string(step.problem), "deployment": step.deployment.map { .string($0) } ?? .null,
            "policy": step.policy.map { .string($0) } ?? .null, "policy_edit": edit,
        ]
    }
}
