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
    /// Whether the additional endpoints are asked where the first cannot be.
    var failsOver: Bool
    var requiresNonce: Bool
    var refusesDebug: Bool

    init(_ settings: Settings) throws(BrokerError) {
        endpoint = try settings.optional(Self.keys.endpoint)
        additionalEndpoints = try settings(Self.keys.additionalEndpoints).endpoints
        apiVersion = try settings(Self.keys.apiVersion)
        userAgent = try settings(Self.keys.userAgent)
        timeout = try settings(Self.keys.timeout)
        clockSkew = try settings(Self.keys.clockSkew)
        keysMaximumAge = try settings(Self.keys.keysMaximumAge)
        failsOver = try settings(Self.keys.failover)
        requiresNonce = try settings(Self.keys.requireNonce)
        refusesDebug = try settings(Self.keys.refuseDebug)
    }

    static let schema = keys.schema

    private static let keys = Keys()

    private struct Keys: SettingsGroup {
        let endpoint = SettingKey<Endpoint>(
            "endpoint", help: "Authority for requests that name none. Once an endpoint is set, only the configured ones are asked.",
            check: { AzureService.attestation.complaint(about: $0) })
        let additionalEndpoints = SettingKey(
            "additional-endpoints", default: EndpointList(), help: "Further authorities that requests may name.",
            check: AzureService.attestation.complaint(about:))
        let apiVersion = SettingKey(
            "api-version", default: "2020-10-01", help: "REST version sent to the service.",
            check: { text in
                text.utf8.consists(of: .lowercase + .digits + "-", count: 1...32) ? nil : "expected a version such as 2020-10-01"
            })
        let userAgent = SettingKey(
            "user-agent", default: "ConfidentialSkrContainer", help: "User-Agent sent to the service.",
            check: { text in
                text.utf8.consists(of: .printable, count: 1...256) ? nil : "expected 1 to 256 printable ASCII characters"
            })
        let timeout = SettingKey(
            "timeout", default: Duration.seconds(15), help: "Bound on one request to the service.",
            check: { $0 > .zero ? nil : "must be more than zero" })
        let clockSkew = SettingKey(
            "clock-skew", default: Duration.seconds(60), help: "Tolerated difference of clocks in nbf and exp.",
            check: { $0 <= .seconds(600) ? nil : "must be at most 10m" })
        let keysMaximumAge = SettingKey(
            "keys-max-age", default: Duration.seconds(3600), help: "How long published keys are used before a new fetch.",
            check: { $0 <= .seconds(86_400) ? nil : "must be at most 24h" })
        let failover = SettingKey(
            "failover", default: true,
            help:
                "Ask the additional endpoints, in their order, while the first cannot be asked; a key's release policy decides whether "
                + "it helps."
        )
        let requireNonce = SettingKey(
            "require-nonce", default: false,
            help: "Refuse tokens without the nonce that was sent; a nonce that is there must match in any case.")
        let refuseDebug = SettingKey(
            "refuse-debug", default: false,
            help: "Refuse tokens of guests that the host may debug; without it the key's release policy decides.")
    }
}
