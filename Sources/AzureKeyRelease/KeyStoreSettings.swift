internal import AzureServices
public import BrokerCore
package import HTTPTransport
public import OpenSSLCrypto
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
        endpoint = try settings.optional(Self.keys.endpoint)
        additionalEndpoints = try settings(Self.keys.additionalEndpoints).endpoints
        apiVersion = try settings(Self.keys.apiVersion)
        wrapAlgorithm = try settings(Self.keys.wrapAlgorithm)
        timeout = try settings(Self.keys.timeout)
    }

    /// What the block of a key vault, and that of a Managed HSM, accept.
    package static let keyVaultSchema = Keys(of: .keyVault).schema
    package static let managedHSMSchema = Keys(of: .managedHSM).schema

    private static let keys = Keys(of: nil)

    private struct Keys: SettingsGroup {
        let endpoint: SettingKey<Endpoint>
        let additionalEndpoints: SettingKey<EndpointList>
        let apiVersion = SettingKey(
            "api-version", default: "7.4", help: "REST version, at least 7.3.",
            check: { text in
                text.utf8.consists(of: .lowercase + .digits + ".-", count: 1...32) ? nil : "expected a version such as 7.4 or 2025-07-01"
            })
        let wrapAlgorithm = SettingKey(
            "wrap-algorithm", default: KeyWrapAlgorithm.rsaAESKeyWrap256,
            help: "How the store wraps a released key; CKM_RSA_AES_KEY_WRAP uses SHA-1.")
        let timeout = SettingKey(
            "timeout", default: Duration.seconds(15), help: "Bound on one release request.",
            check: { $0 > .zero ? nil : "must be more than zero" })

        /// A host of another service than `service` is refused.
        init(of service: AzureService?) {
            endpoint = SettingKey(
                "endpoint", help: "Store for requests that name none. Once an endpoint is set, only the configured ones are asked.",
                check: { service?.complaint(about: $0) })
            additionalEndpoints = SettingKey(
                "additional-endpoints", default: EndpointList(), help: "Further stores that requests may name.",
                check: { service?.complaint(about: $0) })
        }
    }
}

/// The raw values are the store's names.
extension KeyWrapAlgorithm: SettingChoice {}
