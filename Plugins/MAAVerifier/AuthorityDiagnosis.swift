internal import BrokerCore
internal import HTTPTransport

extension AttestationAuthority: Diagnosing {
    /// Whether there is a default authority and whether it shows its keys.
    func diagnosis(network: Bool, in context: RequestContext) async -> [Finding] {
        guard let authority = defaultAuthority else {
            return [
                Finding(
                    .warning, "verifier", "there is no default authority: each request has to name one, and any of the cloud is accepted",
                    next: "set verifier.maa.endpoint")
            ]
        }
        guard network else { return [Finding(.ok, "verifier", "\(authority), not asked")] }
        do {
            try await keys.load(of: authority, in: context)
            return [Finding(.ok, "verifier", "\(authority) shows the keys that its tokens are verified with")]
        } catch {
            return [
                Finding(
                    "verifier", error,
                    next:
                        "the group must reach \(authority):\(authority.port); 'curl https://\(authority)/certs' from the same network "
                        + "shows what stands in the way"
                )
            ]
        }
    }
}
