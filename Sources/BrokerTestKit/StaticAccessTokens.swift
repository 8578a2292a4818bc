public import BrokerCore
public import SecureMemory
internal import Synchronization

/// An access token source that always has the same answer and remembers which audiences were asked for.
public final class StaticAccessTokens: AccessTokenSource {
    private let answer: Result<Redacted<String>, BrokerError>
    private let asked = Mutex<[String]>([])

    /// Gives out `token` for every audience.
    public init(_ token: String = "broker-identity-canary-token") { answer = .success(Redacted(token)) }

    /// Fails for every audience.
    public init(failing error: BrokerError) { answer = .failure(error) }

    /// The audiences asked for so far, in order.
    public var audiences: [String] { asked.withLock { $0 } }

    public func accessToken(for audience: String, in context: RequestContext) async throws(BrokerError) -> Redacted<String> {
        asked.withLock { $0.append(audience) }
        return try answer.get()
    }
}
