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
    /// One or two words: `device`, `endorsements`, `identity`. Stable, for scripts.
    public let subject: String
    /// One sentence without secrets.
    public let text: String
    /// Stable word for what is behind a problem: the `cause` of `BrokerError.Details`, or the error's code.
    public let cause: String?
    /// What to do about it, most likely help first.
    public let nextSteps: [String]

    /// The first of the next steps.
    public var nextStep: String? { nextSteps.first }

    public init(
        _ verdict: Verdict, _ subject: String, _ text: String, cause: String? = nil, next nextStep: String? = nil,
        others nextSteps: [String] = []
    ) {
        self.verdict = verdict
        self.subject = subject
        self.text = text
        self.cause = cause
        self.nextSteps = (nextStep.map { [$0] } ?? []) + nextSteps
    }

    /// A problem with the error's next steps, behind one that its place knows better.
    public init(_ subject: String, _ error: BrokerError, next nextStep: String? = nil) {
        self.init(
            .problem, subject, error.message, cause: error.details?.cause ?? error.code.rawValue, next: nextStep,
            others: error.details?.nextSteps ?? [])
    }
}

/// Optional ability of a provider and of an access token source: to say in detail what is there and what is missing, for `doctor`.
public protocol Diagnosing: Sendable {
    /// Looks and changes nothing. Without `network` no service outside this machine is asked. Bounded by the context's deadline.
    func diagnosis(network: Bool, in context: RequestContext) async -> [Finding]
}
