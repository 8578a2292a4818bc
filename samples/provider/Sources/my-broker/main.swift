import BrokerApp
import CommandEvidence
import KeyVaultPremium
import MAAVerifier
import ManagedHSM
import SNPEvidence

await BrokerApp(
    evidence: [commandEvidence, snpEvidence], verifiers: [maaVerifier], keyStores: [keyVaultPremium, managedHSM]
).main()
