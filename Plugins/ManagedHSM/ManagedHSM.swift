internal import AzureKeyRelease
public import BrokerCore

/// Managed HSM: the same release interface as a key vault, also for symmetric keys (Key Vault REST, "Release").
public let managedHSM = ProviderFactory<any KeyStore>(
    name: "mhsm", summary: "Azure Managed HSM, secure key release", schema: KeyStoreSettings.managedHSMSchema
) { settings, host throws(BrokerError) in try AzureKeyStore(.managedHSM, try KeyStoreSettings(settings), host) }
