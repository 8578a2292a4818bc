internal import AzureServices
package import BrokerCore
package import HTTPTransport
package import OpenSSLCrypto
internal import PlainText

/// What an operator can set for a key store of either kind.
package struct KeyStoreSettings: Sendable {
    /// The store for requests that name none.
    package var endpoint: Endpoint?
    /// Further stores that requests may name.
    package var additionalEndpoints: [Endpoint]
    package var apiVersion: String
    package var wrapAlgorithm: KeyWrapAlgorithm
    /// Bound on one release request.
    package var timeout: Duration

    /// Reads a provider's block.
    package init(_ settings: Settings) throws(BrokerError) {
        endpoint = try settings.optional(Self.endpointKey)
        additionalEndpoints = try settings(Self.additionalEndpointsKey).endpoints
        apiVersion = try settings(Self.apiVersionKey)
        wrapAlgorithm = try settings(Self.wrapAlgorithmKey).algorithm
        timeout = try settings(Self.timeoutKey)
    }

    /// What the block accepts.
    package static let schema = SettingsSchema([
        endpointKey.declaration, additionalEndpointsKey.declaration, apiVersionKey.declaration, wrapAlgorithmKey.declaration,
        timeoutKey.declaration,
    ])

    private static let endpointKey = SettingKey<Endpoint>(
        "endpoint", help: "Store for requests that name none. Once an endpoint is set, only the configured ones are asked.")
    private static let additionalEndpointsKey = SettingKey(
        "additional-endpoints", default: EndpointList(), help: "Further stores that requests may name.")
    private static let apiVersionKey = SettingKey(
        "api-version", default: "7.4", help: "REST version, at least 7.3.",
        check: { text in
            text.utf8.consists(of: .lowercase + .digits + ".-", count: 1...32) ? nil : "expected a version such as 7.4 or 2025-07-01"
        })
    private static let wrapAlgorithmKey = SettingKey(
        "wrap-algorithm", default: WrapAlgorithmChoice.sha256, help: "How the store wraps a released key; CKM_RSA_AES_KEY_WRAP uses SHA-1.")
    private static let timeoutKey = SettingKey(
        "timeout", default: Duration.seconds(15), help: "Bound on one release request.",
        check: { $0 > .zero ? nil : "must be more than zero" })
}

/// The store's names of `KeyWrapAlgorithm` as a setting.
enum WrapAlgorithmChoice: String, SettingChoice {
    case sha256 = "RSA_AES_KEY_WRAP_256"
    case sha384 = "RSA_AES_KEY_WRAP_384"
    case sha1 = "CKM_RSA_AES_KEY_WRAP"

    var algorithm: KeyWrapAlgorithm {
        switch self {
        case .sha256: .rsaAESKeyWrap256
        case .sha384: .rsaAESKeyWrap384
        case .sha1: .ckmRSAAESKeyWrap
        }
    }
}
