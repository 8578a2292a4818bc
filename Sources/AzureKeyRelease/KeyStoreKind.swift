internal import AzureServices

/// The two services that speak the Key Vault "keys" REST interface. They differ in names and audience, and in the form of some members of
/// an answer (KeyStores.md, "Vault and HSM").
package enum KeyStoreKind: Sendable, CaseIterable {
    case keyVault
    case managedHSM

    /// For messages: `Key Vault`, `Managed HSM`.
    var displayName: String {
        switch self {
        case .keyVault: "Key Vault"
        case .managedHSM: "Managed HSM"
        }
    }

    /// What follows the store's name in its host name, without a leading dot.
    func suffix(in cloud: AzureCloud) -> String {
        switch self {
        case .keyVault: cloud.vaultSuffix
        case .managedHSM: cloud.managedHSMSuffix
        }
    }

    /// Audience of access tokens.
    func audience(in cloud: AzureCloud) -> String {
        switch self {
        case .keyVault: cloud.vaultAudience
        case .managedHSM: cloud.managedHSMAudience
        }
    }
}
