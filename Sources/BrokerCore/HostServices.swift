public import HTTPTransport
public import Logging
package import SNPVerification

/// What the core lends a provider. A provider takes sockets, time and identity from here and nowhere else, which is why it can be tested.
public struct HostServices: Sendable {
    /// Every outbound request. An error answer comes without the bearer token that the request carried.
    public let transport: any HTTPTransport
    /// Tokens for the broker's own identity.
    public let accessTokens: any AccessTokenSource
    /// Certificate authorities for signatures inside messages: the same as for TLS.
    public let trust: SharedTrustStore
    /// Name of the cloud that the operator chose (`public`, `us-government`, `china`); providers that know clouds interpret it.
    public let cloud: String
    /// What is known of AMD's products, with what the operator's file adds and takes away.
    package let products: ProductTable
    /// Time of day.
    public let clock: any WallClock
    public let logger: Logger

    public init(
        transport: any HTTPTransport, accessTokens: any AccessTokenSource, trust: SharedTrustStore, cloud: String, clock: any WallClock,
        logger: Logger
    ) {
        self.init(
            transport: transport, accessTokens: accessTokens, trust: trust, cloud: cloud, products: .builtIn, clock: clock, logger: logger)
    }

    package init(
        transport: any HTTPTransport, accessTokens: any AccessTokenSource, trust: SharedTrustStore, cloud: String,
        products: ProductTable, clock: any WallClock, logger: Logger
    ) {
        self.transport = DiscreetTransport(transport)
        self.accessTokens = accessTokens
        self.trust = trust
        self.cloud = cloud
        self.products = products
        self.clock = clock
        self.logger = logger
    }
}

/// The time of day, for certificates and tokens.
public protocol WallClock: Sendable {
    /// Seconds since 1970-01-01T00:00:00Z.
    func now() -> Int64
}
