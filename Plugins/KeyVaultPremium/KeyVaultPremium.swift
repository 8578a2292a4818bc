internal import AzureKeyRelease
public import BrokerCore

/// Key Vault Premium: exportable HSM keys with a release policy (Key Vault REST, "Release").
public let keyVaultPremium = ProviderFactory<any KeyStore>(
    name: "akv", summary: "Azure Key Vault Premium, secure key release", schema: KeyStoreSettings.keyVaultSchema
) { settings, host throws(BrokerError) in try AzureKeyStore(.keyVault, try KeyStoreSettings(settings), host) }
