import BrokerCore
import BrokerTestKit
import HTTPTransport
import KeyVaultPremium
import OpenSSLCrypto
import Testing

private let host = "contoso.vault.azure.net"
/// Made once: RSA keys take most of the time.
private let signers = Result { try ScriptedKeyStore.Signers(host: host) }

@Suite("akv keeps the key store contract") struct KeyVaultContractTests {
    private func contract(_ settings: [String: RawSetting], endpoint name: String, foreign: [String]) -> KeyStoreContract {
        KeyStoreContract(foreignEndpoints: foreign) { how in
            let service = ScriptedKeyStore(endpoint: try Endpoint(name), signers: try signers.get(), manner: .keyVault, misbehaviour: how)
            let log = RecordedLog()
            let store = try keyVaultPremium.makeForTest(
                settings, host: .forTest(transport: service, trust: try signers.get().chain.trust, log: log))
            return KeyStoreContract.Subject(
                store: store, endpoint: service.endpoint, keys: try signers.get().keys.filter { $0.type != .oct },
                brokerToken: "broker-identity-canary-token", log: log, bearers: { service.bearers })
        }
    }

    @Test("with endpoints found by suffix") func bySuffix() async {
        let contract = contract(
            [:], endpoint: host, foreign: ["contoso.managedhsm.azure.net", "vault.azure.net", "contoso.vault.azure.cn"])
        let violations = await contract.violations()
        #expect(violations == [])
    }

    @Test("with a configured endpoint, on a port of its own") func configured() async {
        let contract = contract(["endpoint": .string("\(host):8443")], endpoint: "\(host):8443", foreign: [host, "other.vault.azure.net"])
        let violations = await contract.violations()
        #expect(violations == [])
    }

    @Test("the contract notices a store that believes everything") func noticesCredulity() async throws {
        struct Credulous: KeyStore {
            let defaultEndpoint: Endpoint? = nil
            func claims(_ endpoint: Endpoint) -> Bool { true }
            func release(_ key: KeyReference, presenting token: AttestationToken, as caller: CallerCredential, in context: RequestContext)
                async throws(BrokerError) -> WrappedKey
            { WrappedKey(keyID: "\(key)", type: .oct, operations: [], algorithm: .rsaAESKeyWrap256, ciphertext: [], publicPart: nil) }
        }
        let keys = try signers.get().keys
        let contract = KeyStoreContract { _ in
            KeyStoreContract.Subject(
                store: Credulous(), endpoint: try Endpoint(host), keys: keys, brokerToken: "t", log: RecordedLog(), bearers: { [] })
        }
        let violations = await contract.violations()
        for how in StoreMisbehaviour.allCases { #expect(violations.contains("\(how.rawValue): a key came out")) }
        #expect(violations.contains("attacker.example is claimed"))
        #expect(violations.contains { $0.hasPrefix("rsa-key: the ciphertext does not open") })
    }
}

@Suite("Which endpoints akv claims") struct KeyVaultEndpointTests {
    private func store(cloud: String = "public", _ settings: [String: RawSetting] = [:]) throws -> any KeyStore {
        try keyVaultPremium.makeForTest(
            settings, host: .forTest(transport: ScriptedTransport(script: []), trust: try signers.get().chain.trust, cloud: cloud))
    }

    @Test(
        "without configuration: one label below the cloud's suffix",
        arguments: [
            ("public", "contoso.vault.azure.net", true), ("public", "Contoso.Vault.Azure.Net", true),
            ("public", "https://contoso.vault.azure.net", true), ("public", "contoso.vault.azure.net:443", true),
            ("public", "managedhsm-x.vault.azure.net", true), ("public", "vault.azure.net", false),
            ("public", "a.b.vault.azure.net", false), ("public", "contoso.vault.azure.net:8443", false),
            ("public", "contoso.vault.azure.net.evil.example", false), ("public", "contoso.vault.azure.net.evil", false),
            ("public", "contosovault.azure.net", false), ("public", "contoso.evilvault.azure.net", false),
            ("public", "contoso-vault.azure.net", false), ("public", "contoso.managedhsm.azure.net", false),
            ("public", "contoso.vault.azure.cn", false), ("public", "attacker-managedhsm.test", false),
            ("us-government", "contoso.vault.usgovcloudapi.net", true), ("us-government", "contoso.vault.azure.net", false),
            ("china", "contoso.vault.azure.cn", true), ("china", "contoso.vault.azure.net", false),
        ]) func suffix(cloud: String, name: String, claimed: Bool) throws
    { #expect(try store(cloud: cloud).claims(try Endpoint(name)) == claimed) }

    @Test("with configuration: exactly the configured ones") func configured() throws {
        let store = try store(["endpoint": .string("a.vault.azure.net"), "additional-endpoints": .list(["b.example", "c.example:8443"])])
        #expect(store.defaultEndpoint == (try Endpoint("a.vault.azure.net")))
        for name in ["a.vault.azure.net", "b.example", "c.example:8443"] { #expect(store.claims(try Endpoint(name))) }
        for name in ["d.vault.azure.net", "b.example:8443", "c.example", "x.b.example"] { #expect(!store.claims(try Endpoint(name))) }
    }

    @Test("settings that cannot work are refused") func misconfigured() throws {
        for settings: [String: RawSetting] in [
            ["endpoint": .string("contoso.vault.azure.net/keys")], ["endpoint": .string("127.0.0.1")],
            ["additional-endpoints": .list(["ok.example", "a.example?x="])], ["api-version": .string("7.4&x=y")],
            ["api-version": .string("")], ["wrap-algorithm": .string("RSA-OAEP")], ["timeout": .string("0s")], ["timeout": .string("soon")],
            ["unknown": .string("x")],
        ] { #expect(throws: BrokerError.self, "\(settings)") { try store(settings) } }
        #expect(throws: BrokerError.self) { try store(cloud: "mars") }
    }

    @Test("endpoints in the environment are separated by commas") func commaSeparated() throws {
        let store = try store(["additional-endpoints": .text("a.example, b.example")])
        #expect(store.claims(try Endpoint("b.example")))
    }
}
