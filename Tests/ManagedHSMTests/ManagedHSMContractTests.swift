import BrokerCore
import BrokerTestKit
import HTTPTransport
import KeyVaultPremium
import ManagedHSM
import Testing

private let host = "contoso.managedhsm.azure.net"
/// Made once: RSA keys take most of the time.
private let signers = Result { try ScriptedKeyStore.Signers(host: host) }

@Suite("mhsm keeps the key store contract") struct ManagedHSMContractTests {
    @Test("with endpoints found by suffix, for keys of every kind") func contract() async {
        let contract = KeyStoreContract(foreignEndpoints: [
            "contoso.vault.azure.net", "managedhsm.azure.net", "contoso-managedhsm.azure.net",
        ]) { how in
            let service = ScriptedKeyStore(endpoint: try Endpoint(host), signers: try signers.get(), manner: .managedHSM, misbehaviour: how)
            let log = RecordedLog()
            let store = try managedHSM.makeForTest(host: .forTest(transport: service, trust: try signers.get().chain.trust, log: log))
            return KeyStoreContract.Subject(
                store: store, endpoint: service.endpoint, keys: try signers.get().keys, brokerToken: "broker-identity-canary-token",
                log: log, bearers: { service.bearers })
        }
        let violations = await contract.violations()
        #expect(violations == [])
    }

    @Test(
        "which endpoints it claims",
        arguments: [
            ("public", "contoso.managedhsm.azure.net", true), ("public", "a.b.managedhsm.azure.net", false),
            ("public", "managedhsm.azure.net", false), ("public", "attacker-managedhsm.test", false),
            ("public", "x-managedhsm.evil.example", false), ("public", "contoso.managedhsm.azure.net.evil.example", false),
            ("public", "contoso.vault.azure.net", false), ("us-government", "x.managedhsm.usgovcloudapi.net", true),
            ("china", "x.managedhsm.azure.cn", true), ("china", "x.managedhsm.azure.net", false),
        ]) func endpoints(cloud: String, name: String, claimed: Bool) throws
    {
        let store = try managedHSM.makeForTest(
            host: .forTest(transport: ScriptedTransport(script: []), trust: try signers.get().chain.trust, cloud: cloud))
        #expect(store.claims(try Endpoint(name)) == claimed)
    }

    @Test("the claims of akv and mhsm are disjoint in every cloud") func disjoint() throws {
        for cloud in ["public", "us-government", "china"] {
            let host = HostServices.forTest(transport: ScriptedTransport(script: []), trust: try signers.get().chain.trust, cloud: cloud)
            let stores = [try keyVaultPremium.makeForTest(host: host), try managedHSM.makeForTest(host: host)]
            for suffix in [
                "vault.azure.net", "managedhsm.azure.net", "vault.usgovcloudapi.net", "managedhsm.usgovcloudapi.net", "vault.azure.cn",
                "managedhsm.azure.cn", "attest.azure.net",
            ] {
                for name in ["x.\(suffix)", "x.y.\(suffix)", suffix, "managedhsm.\(suffix)", "vault.\(suffix)"] {
                    let endpoint = try Endpoint(name)
                    #expect(stores.count { $0.claims(endpoint) } <= 1, "\(name) in \(cloud)")
                }
            }
        }
    }
}
