import BrokerApp
import BrokerCore
import KeyVaultPremium
import LocalVerifier
import MAAVerifier
import ManagedHSM
import SNPEvidence

#if FixtureEvidence
    import FixtureEvidence
#endif

/// Which providers this program has. The one place that lists them.
@main struct BuiltInProviders {
    static func main() async {
        var evidence = [snpEvidence]
        #if FixtureEvidence
            evidence.append(fixtureEvidence)
        #endif
        await BrokerApp(evidence: evidence, verifiers: [maaVerifier, localVerifier], keyStores: [keyVaultPremium, managedHSM]).main()
    }
}
