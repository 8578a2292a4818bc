package import PlainText
package import SNPVerification

/// A verifier that judges evidence itself. What it says is for this broker alone: it signs nothing, and issues no tokens.
package protocol EvidenceJudge: Verifier {
    /// What the evidence comes to under the operator's configuration; its report data must be that of `runtimeData`. Throws where the
    /// evidence cannot even be read.
    func judgement(of evidence: Evidence, runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Judgement
}

/// What a judge says, with every check.
package struct Judgement: Sendable {
    package let verdict: Verdict
    /// In the order in which they were made.
    package let checks: [Check]
    /// What a limited verdict is limited by.
    package let leftOut: [Omission]
    /// What was not looked at at all.
    package let notChecked: [Omission]
    /// `Milan`; `nil` where nobody knows.
    package let product: String?
    /// What a person can do about what failed, most likely help first.
    package let nextSteps: [String]

    package init(
        verdict: Verdict, checks: [Check], leftOut: [Omission], notChecked: [Omission], product: String?, nextSteps: [String]
    ) {
        self.verdict = verdict
        self.checks = checks
        self.leftOut = leftOut
        self.notChecked = notChecked
        self.product = product
        self.nextSteps = nextSteps
    }

    /// Whether a key may be asked for: what is limited is so because the operator allowed it.
    package var isAccepted: Bool { verdict == .verified || verdict == .limited }

    /// The refusal that a caller gets; `nil` where the evidence is accepted.
    package func refusal(by name: String) -> BrokerError? {
        guard !isAccepted else { return nil }
        let summary = verdict == .unsupported ? "cannot judge the evidence (unsupported)" : "rejects the evidence"
        return BrokerError(
            .verificationRejected, at: .verify, "verifier '\(name)' \(summary): \(checks.complaint)",
            details: .init(
                cause: "evidence-\(verdict.rawValue)", summary: "\(name): \(checks.failures.joined(separator: ", "))", nextSteps: nextSteps)
        )
    }
}
