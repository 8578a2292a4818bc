internal import AzureServices
package import BrokerCore

extension AzureKeyStore: Diagnosing {
    /// Whether there is a default store, and whether the broker's identity gets an access token for it. The token goes nowhere.
    package func diagnosis(network: Bool, in context: RequestContext) async -> [Finding] {
        var findings: [Finding] = []
        if let endpoint = defaultEndpoint {
            findings.append(Finding(.ok, "key store", "\(endpoint) for requests that name none"))
        } else {
            findings.append(
                Finding(
                    .warning, "key store", "no default for \(audience): each request has to name its store",
                    next: "set the endpoint of the store's block"))
        }
        guard network, !(host.accessTokens is NoIdentity) else { return findings }
        do {
            _ = try await host.accessTokens.accessToken(for: audience, in: context)
            findings.append(Finding(.ok, "identity", "an access token for \(audience) was given out"))
        } catch {
            findings.append(
                Finding(
                    "identity", error,
                    next: error.details == nil
                        ? "assign the identity to the group or set its federated credential, or have callers send access tokens "
                            + "(identity.use none)" : nil
                ))
        }
        return findings
    }
}
