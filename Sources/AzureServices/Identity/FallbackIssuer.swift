internal import BrokerCore
internal import Logging

/// Asks a second service where the first one is not there at all.
///
/// Confidential container groups serve the metadata address, and have of late the variables of other hosting environments as well, so that
/// the address is the better guess and the variables the second (ManagedIdentity.md, "Container groups").
struct FallbackIssuer: TokenIssuer {
    let first: any TokenIssuer
    let second: any TokenIssuer

    // Both speak for the same identity; the cache's key must not depend on which of them answered.
    var identity: String { first.identity }

    func acquire(audience: String, in context: RequestContext) async throws(BrokerError) -> AcquiredToken {
        let failure: BrokerError
        do { return try await first.acquire(audience: audience, in: context) } catch { failure = error }
        // A service that answered has spoken; only silence leads on.
        guard failure.upstream == nil, failure.code == .upstreamUnavailable else { throw failure }
        context.logger.debug("the identity endpoint is asked instead", metadata: ["reason": "\(failure.message)"])
        do { return try await second.acquire(audience: audience, in: context) } catch {
            throw BrokerError(
                error.code, at: .identity, "\(failure.message); \(error.message)", retryAfter: error.retryAfter, upstream: error.upstream,
                cause: error.cause, details: error.details)
        }
    }
}
