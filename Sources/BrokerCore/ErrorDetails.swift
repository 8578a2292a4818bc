extension BrokerError {
    /// Why a service said no, as far as the broker itself could find out, and what to do about it.
    ///
    /// Of a token it holds names and values of the claims that a policy asks for, and nothing else. All texts are bounded and printable.
    public struct Details: Sendable, Equatable {
        /// Stable, kebab-case: `policy-not-satisfied`, `release-permission-missing`. `unknown` where nothing is known about the answer.
        public var cause: String
        /// One line.
        public var summary: String
        /// What the key's release policy says about the token that was sent, nearest authority first; empty where it could not be read or
        /// was not the matter.
        public var authorities: [Authority]
        /// What a person can do, most likely help first.
        public var nextSteps: [String]

        public init(cause: String, summary: String, authorities: [Authority] = [], nextSteps: [String] = []) {
            self.cause = cause
            self.summary = summary
            self.authorities = authorities
            self.nextSteps = nextSteps
        }
    }
}

extension BrokerError.Details {
    /// One alternative of a release policy, judged.
    public struct Authority: Sendable, Equatable {
        /// The issuer that the policy wants.
        public let authority: String
        /// The issuer of the token that was sent.
        public let issuer: String
        /// How they compare: `exact`, `differs-by-trailing-slash`, `not-an-authority`.
        public let match: String
        public let isSatisfied: Bool
        public let conditions: Group

        public init(authority: String, issuer: String, match: String, isSatisfied: Bool, conditions: Group) {
            self.authority = authority
            self.issuer = issuer
            self.match = match
            self.isSatisfied = isSatisfied
            self.conditions = conditions
        }
    }

    /// Conditions of a policy, joined.
    public struct Group: Sendable, Equatable {
        /// `allOf` or `anyOf`.
        public let join: String
        public let isSatisfied: Bool
        /// In the order of the policy.
        public let conditions: [Condition]

        public init(join: String, isSatisfied: Bool, conditions: [Condition]) {
            self.join = join
            self.isSatisfied = isSatisfied
            self.conditions = conditions
        }
    }

    public enum Condition: Sendable, Equatable {
        case clause(Clause)
        case group(Group)
    }

    /// One statement of a policy about one claim, judged.
    public struct Clause: Sendable, Equatable {
        public let claim: String
        /// `equals`, `notEquals`, `less`, `lessOrEquals`, `greater`, `greaterOrEquals` or `exists`.
        public let comparison: String
        /// What the policy wants, as text.
        public let wanted: String
        /// What the token says, as text; `nil` where it says nothing.
        public let actual: String?
        public let isSatisfied: Bool
        /// `satisfied`, `missing-claim`, `different-value`, `differs-only-by-case`, …
        public let reason: String

        public init(claim: String, comparison: String, wanted: String, actual: String?, isSatisfied: Bool, reason: String) {
            self.claim = claim
            self.comparison = comparison
            self.wanted = wanted
            self.actual = actual
            self.isSatisfied = isSatisfied
            self.reason = reason
        }
    }
}
