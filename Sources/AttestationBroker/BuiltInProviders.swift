import BrokerCore
import KeyVaultPremium
import MAAVerifier
import ManagedHSM
import SNPEvidence

#if FixtureEvidence
    import FixtureEvidence
#endif

/// Which providers this program has. The one place that lists them.
func builtInProviders() throws(BrokerError) -> ProviderRegistry {
    var evidence = [snpEvidence]
    #if FixtureEvidence
        evidence.append(fixtureEvidence)
    #endif
    return try ProviderRegistry(evidence: evidence, verifiers: [maaVerifier], keyStores: [keyVaultPremium, managedHSM])
}
