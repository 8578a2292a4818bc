package import BrokerCore
internal import Logging
package import SecureMemory

/// One way to get a token, without any caching.
protocol TokenIssuer: Sendable {
    /// Who the token is for, in words without secrets.
    var identity: String { get }

    func acquire(audience: String, in context: RequestContext) async throws(BrokerError) -> AcquiredToken
}

/// Gives out the issuer's tokens, each until 80 % of its life, and asks once for everybody who waits at the same time. Failures are not
/// kept.
struct CachedAccessTokens: AccessTokenSource {
    private struct Key: Hashable, Sendable {
        let audience: String
        // An entry never crosses an identity boundary, also if one day two issuers share a cache.
        let identity: String
    }

    private let issuer: any TokenIssuer
    private let cache: SingleFlightCache<Key, Redacted<String>>

    /// Why this issuer was chosen, for people.
    private let reason: String
    private let clock: any WallClock
    private let onToken: @Sendable (Int64) -> Void

    init(_ issuer: any TokenIssuer, reason: String, clock: any WallClock, onToken: @escaping @Sendable (Int64) -> Void = { _ in }) {
        self.issuer = issuer
        self.reason = reason
        self.clock = clock
        self.onToken = onToken
        cache = SingleFlightCache(capacity: 16, clock: clock, stage: .identity)
    }

    func accessToken(for audience: String, in context: RequestContext) async throws(BrokerError) -> Redacted<String> {
        let (issuer, clock, onToken) = (issuer, clock, onToken)
        let found = try await cache.value(for: Key(audience: audience, identity: issuer.identity), in: context) {
            context throws(BrokerError) in
            let acquired = try await issuer.acquire(audience: audience, in: context)
            context.logger.debug(
                "access token acquired",
                metadata: ["audience": "\(audience)", "identity": "\(issuer.identity)", "lifetime": "\(acquired.lifetime)s"])
            onToken(clock.now() + acquired.lifetime)
            return .init(acquired.token, freshFor: acquired.reusableFor)
        }
        return found.value
    }
}

extension CachedAccessTokens: Diagnosing {
    /// Who the broker is, and why. Whether there is a token for a store, the store says.
    func diagnosis(network: Bool, in context: RequestContext) async -> [Finding] {
        [Finding(.ok, "identity", "\(issuer.identity) (\(reason))")]
    }
}

extension NoIdentity: Diagnosing {
    package func diagnosis(network: Bool, in context: RequestContext) async -> [Finding] {
        [Finding(.ok, "identity", "none of the broker's own: each release has to bring an access token")]
    }
}

/// The source where the operator wants no identity of the broker's own.
package struct NoIdentity: AccessTokenSource {
    package init() {}

    package func accessToken(for audience: String, in context: RequestContext) async throws(BrokerError) -> Redacted<String> {
        throw BrokerError(
            .identityFailed, at: .identity,
            "the broker has no identity of its own (identity.use is none); send an access token for \(audience) with the request")
    }
}
