internal import AttestationTokens
internal import BrokerCore
internal import AzureServices
internal import ReleasePolicy
internal import SecureMemory

/// Finds out why a key store said no to a release: which clause of the key's policy the token fails.
///
/// Neither service says so (KeyStores.md, "Refusals"). The evaluator is the simulators' and the command line's.
struct DenialExplainer {
    let reader: PolicyReader
    let kind: KeyStoreKind
    let key: KeyReference

    /// Never fails: what cannot be found out is said.
    func details(of known: KnownFailure?, token: AttestationToken, bearer: Redacted<String>, in context: RequestContext) async
        -> BrokerError.Details
    {
        let policy: ReleasePolicy
        do { policy = try await reader.policy(of: key, bearer, in: context) } catch { return unread(known, error) }
        let (claims, issuer) = (token.content.claims, token.content.issuer)
        guard !issuer.isEmpty else { return unread(known, .other("the token that was sent names no issuer")) }
        let explanation = ReleaseExplanation(policy.evaluate(claims: claims, issuer: issuer), claims: claims)
        let shown = ShownOutcome(explanation)
        guard !explanation.isSatisfied else {
            return BrokerError.Details(
                cause: known?.cause ?? "unknown",
                summary: "the key's release policy admits the token as far as the broker can tell, and \(key.store) refuses",
                authorities: shown.authorities,
                nextSteps: ["try again: the policy may have changed in between, and the stores fail at times to verify a good token"]
                    + (KnownFailure.named("token-not-verified")?.nextSteps ?? []))
        }
        return BrokerError.Details(
            cause: "policy-not-satisfied", summary: shown.summary, authorities: shown.authorities, nextSteps: shown.steps)
    }

    private func unread(_ known: KnownFailure?, _ obstacle: PolicyReader.Obstacle) -> BrokerError.Details {
        let base = known?.details ?? BrokerError.Details(cause: "unknown", summary: "the store gives no reason")
        var details = base
        switch obstacle {
        case .notPermitted:
            details.summary += "; which clause cannot be said, because the caller may not read the key (permission 'get')"
            let permission = kind == .keyVault ? KeyAction.read.vaultDataAction : KeyAction.read.managedHSMDataAction
            details.nextSteps.insert(
                "give the caller the key permission 'get' (data action \(permission)) and the broker will name the clause", at: 0)
        case .other(let reason): details.summary += "; which clause cannot be said: " + ShownOutcome.text(reason, limit: 400)
        }
        return details
    }
}
