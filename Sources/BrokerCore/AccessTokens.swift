public import SecureMemory

/// With whose identity a key store is asked.
public enum CallerCredential: Sendable {
    /// The broker's own: the store asks `HostServices.accessTokens`.
    case broker
    /// A bearer token that came with the request. Used once, never cached.
    case bearer(Redacted<String>)
}

/// Gives out access tokens for the broker's own identity.
public protocol AccessTokenSource: Sendable {
    /// A bearer token for `audience`, for example `https://vault.azure.net`.
    func accessToken(for audience: String, in context: RequestContext) async throws(BrokerError) -> Redacted<String>
}
