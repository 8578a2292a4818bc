internal import AzureServices
internal import BrokerCore
internal import HTTPTransport
internal import PlainText

/// What an operator can set for the verifier `maa`.
struct MAASettings: Sendable {
    var endpoint: Endpoint?
    var additionalEndpoints: [Endpoint]
    var apiVersion: String
    var userAgent: String
    var timeout: Duration
    /// Tolerated difference between the authority's clock and ours.
    var clockSkew: Duration
    /// How long an authority's published keys are used without being fetched again.
    var keysMaximumAge: Duration
    var requiresNonce: Bool
    var refusesDebug: Bool

    init(_ settings: Settings) throws(BrokerError) {
        endpoint = try settings.optional(Self.endpointKey)
        additionalEndpoints = try settings(Self.additionalEndpointsKey).endpoints
        apiVersion = try settings(Self.apiVersionKey)
        userAgent = try settings(Self.userAgentKey)
        timeout = try settings(Self.timeoutKey)
        clockSkew = try settings(Self.clockSkewKey)
        keysMaximumAge = try settings(Self.keysMaximumAgeKey)
        requiresNonce = try settings(Self.requireNonceKey)
        refusesDebug = try settings(Self.refuseDebugKey)
    }

    static let schema = SettingsSchema([
        endpointKey.declaration, additionalEndpointsKey.declaration, apiVersionKey.declaration, userAgentKey.declaration,
        timeoutKey.declaration, clockSkewKey.declaration, keysMaximumAgeKey.declaration, requireNonceKey.declaration,
        refuseDebugKey.declaration,
    ])

    private static let endpointKey = SettingKey<Endpoint>(
        "endpoint", help: "Authority for requests that name none. Once an endpoint is set, only the configured ones are asked.")
    private static let additionalEndpointsKey = SettingKey(
        "additional-endpoints", default: EndpointList(), help: "Further authorities that requests may name.")
    private static let apiVersionKey = SettingKey(
        "api-version", default: "2020-10-01", help: "REST version sent to the service.",
        check: { text in
            text.utf8.consists(of: .lowercase + .digits + "-", count: 1...32) ? nil : "expected a version such as 2020-10-01"
        })
    private static let userAgentKey = SettingKey(
        "user-agent", default: "ConfidentialSkrContainer", help: "User-Agent sent to the service.",
        check: { text in
            text.utf8.consists(of: .printable, count: 1...256) ? nil : "expected 1 to 256 printable ASCII characters"
        })
    private static let timeoutKey = SettingKey(
        "timeout", default: Duration.seconds(15), help: "Bound on one request to the service.",
        check: { $0 > .zero ? nil : "must be more than zero" })
    private static let clockSkewKey = SettingKey(
        "clock-skew", default: Duration.seconds(60), help: "Tolerated difference of clocks in nbf and exp.",
        check: { $0 <= .seconds(600) ? nil : "must be at most 10m" })
    private static let keysMaximumAgeKey = SettingKey(
        "keys-max-age", default: Duration.seconds(3600), help: "How long published keys are used before a new fetch.",
        check: { $0 <= .seconds(86_400) ? nil : "must be at most 24h" })
    private static let requireNonceKey = SettingKey(
        "require-nonce", default: false,
        help: "Refuse tokens without the nonce that was sent; a nonce that is there must match in any case.")
    private static let refuseDebugKey = SettingKey(
        "refuse-debug", default: false,
        help: "Refuse tokens of guests that the host may debug; without it the key's release policy decides.")
}
