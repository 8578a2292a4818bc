/// One line of a diagnosis: what was looked at, what was found, what to do.
public struct Finding: Sendable, Equatable {
    public enum Verdict: String, Sendable, CaseIterable {
        case ok
        /// It works, and the operator should know something.
        case warning
        /// It does not work.
        case problem
    }

    public let verdict: Verdict
    /// One or two words: `device`, `endorsements`, `identity`.
    public let subject: String
    /// One sentence without secrets.
    public let text: String
    /// What to do about it.
    public let nextStep: String?

    public init(_ verdict: Verdict, _ subject: String, _ text: String, next nextStep: String? = nil) {
        self.verdict = verdict
        self.subject = subject
        self.text = text
        self.nextStep = nextStep
    }

    /// A problem, with the first of the error's next steps.
    public init(_ subject: String, _ error: BrokerError, next nextStep: String? = nil) {
        self.init(.problem, subject, error.message, next: nextStep ?? error.details?.nextSteps.first)
    }
}

/// Optional ability of a provider and of an access token source: to say in detail what is there and what is missing, for `doctor`.
public protocol Diagnosing: Sendable {
    /// Looks and changes nothing. Without `network` no service outside this machine is asked. Bounded by the context's deadline.
    func diagnosis(network: Bool, in context: RequestContext) async -> [Finding]
}
