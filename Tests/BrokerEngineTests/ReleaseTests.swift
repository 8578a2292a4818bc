import BrokerCore
import BrokerEngine
import BrokerTestKit
import FixtureEvidence
import HTTPTransport
import JOSE
import KeyVaultPremium
import MAAVerifier
import ManagedHSM
import OpenSSLCrypto
import StrictJSON
import Testing

@Suite("A key released through the providers that ship", .timeLimit(.minutes(5))) struct ReleaseTests {
    private static let vault = "contoso.vault.azure.net"
    private static let hsm = "contoso.managedhsm.azure.net"

    /// What takes seconds to make, made once.
    private struct Shared {
        let evidence: any EvidenceProvider
        let authorityKeys: ScriptedAuthorityKeys
        let vaultSigners: ScriptedKeyStore.Signers
        let hsmSigners: ScriptedKeyStore.Signers

        init() throws {
            evidence = try fixtureEvidence.makeForTest(host: .forTest(transport: ScriptedTransport(script: [])))
            authorityKeys = try ScriptedAuthorityKeys()
            vaultSigners = try ScriptedKeyStore.Signers(host: vault)
            hsmSigners = try ScriptedKeyStore.Signers(host: hsm)
        }
    }

    private static let shared = Result { try Shared() }

    /// `fixture`, `maa`, `akv` and `mhsm` in front of scripted services that really sign and really wrap.
    private struct World {
        let authority: ScriptedAuthority
        let vault: ScriptedKeyStore
        let hsm: ScriptedKeyStore
        let log = RecordedLog()
        let engine: BrokerEngine
        let keys: [(store: Endpoint, key: SampleKey)]

        init(enc: KeyWrapAlgorithm = .rsaAESKeyWrap256) throws {
            let shared = try ReleaseTests.shared.get()
            authority = try ScriptedAuthority(endpoint: try Endpoint("sharedeus2.eus2.attest.azure.net"), keys: shared.authorityKeys)
            vault = ScriptedKeyStore(endpoint: try Endpoint(ReleaseTests.vault), signers: shared.vaultSigners, manner: .keyVault)
            hsm = ScriptedKeyStore(endpoint: try Endpoint(ReleaseTests.hsm), signers: shared.hsmSigners, manner: .managedHSM)
            let store: [String: RawSetting] = ["wrap-algorithm": .string(enc.rawValue)]
            engine = BrokerEngine(
                evidence: NamedProvider("fixture", shared.evidence),
                verifier: NamedProvider(
                    "maa",
                    try maaVerifier.makeForTest(
                        ["endpoint": .string(authority.endpoint.host)], host: .forTest(transport: authority, log: log))),
                keyStores: [
                    NamedProvider(
                        "akv",
                        try keyVaultPremium.makeForTest(
                            store, host: .forTest(transport: vault, trust: shared.vaultSigners.chain.trust, log: log))),
                    NamedProvider(
                        "mhsm",
                        try managedHSM.makeForTest(store, host: .forTest(transport: hsm, trust: shared.hsmSigners.chain.trust, log: log))),
                ], wrappingKeys: WrappingKeyPool(capacity: 0, logger: log.logger()),
                options: BrokerEngine.Options(requestTimeout: .seconds(600)), clock: ManualClock(), logger: log.logger())
            let vaultEndpoint = vault.endpoint
            let hsmEndpoint = hsm.endpoint
            // A key vault has no symmetric keys.
            keys =
                shared.vaultSigners.keys.filter { $0.type != .oct }.map { (vaultEndpoint, $0) }
                + shared.hsmSigners.keys.map { (hsmEndpoint, $0) }
        }

        func release(_ name: String, from store: Endpoint) async throws -> (keyID: String, jwk: String) {
            let released = try await engine.release(
                ReleaseRequest(key: try #require(KeyName(name)), store: store), in: engine.makeContext(id: "test"))
            return (released.keyID, released.text())
        }

        /// Moduli of the wrapping keys that stores were told to use.
        func wrappingKeys() throws -> [String] {
            try (vault.requests + hsm.requests).map { request in
                let token = try JSONCursor.parse(request.body ?? []).string("target")
                let keys = try JWS(compact: token, maximumBytes: 1 << 16).payload(limits: JSONLimits()).member("x-ms-runtime").array("keys")
                #expect(keys.count == 1)
                return try #require(keys.first).string("n")
            }
        }
    }

    @Test("RSA, EC and oct keys come out as they went in, byte for byte") func everyKind() async throws {
        let world = try World()
        let names = world.keys.map(\.key.name)
        #expect(names == ["rsa-key", "ec-32", "ec-48", "ec-66"] + ["rsa-key", "ec-32", "ec-48", "ec-66", "oct-key", "oct-16", "oct-64"])
        #expect(world.keys.filter { $0.key.type == .oct }.map(\.key.content.count) == [32, 16, 64])
        for (store, key) in world.keys {
            let released = try await world.release(key.name, from: store)
            #expect(released.keyID == "\(store.origin)/keys/\(key.name)/\(key.version)")
            #expect(released.jwk == (try ExpectedJWK.text(of: key, operations: key.operations)), "\(key.name)")
        }
        #expect(world.vault.requests.count == 4 && world.hsm.requests.count == 7)
        let moduli = try world.wrappingKeys()
        #expect(moduli.count == 11 && Set(moduli).count == 11, "every release has a wrapping key of its own")
        let secrets = try world.keys.map { try ExpectedJWK.text(of: $0.key, operations: $0.key.operations) }
        #expect(!world.log.lines.contains { line in secrets.contains { line.contains($0) } })
    }

    @Test("every way of wrapping opens", arguments: KeyWrapAlgorithm.allCases) func everyAlgorithm(enc: KeyWrapAlgorithm) async throws {
        let world = try World(enc: enc)
        for store in [world.vault.endpoint, world.hsm.endpoint] {
            let (_, key) = try #require(world.keys.first { $0.store == store })
            let released = try await world.release("\(key.name)/\(key.version)", from: store)
            #expect(released.jwk == (try ExpectedJWK.text(of: key, operations: key.operations)))
        }
    }

    @Test("two releases of one key use two wrapping keys, two tokens and two nonces, and give the same key") func fresh() async throws {
        let world = try World()
        let (store, key) = try #require(world.keys.first { $0.key.name == "ec-32" })
        let first = try await world.release(key.name, from: store)
        let second = try await world.release(key.name, from: store)
        #expect(first == second)
        #expect(Set(try world.wrappingKeys()).count == 2)
        let bodies = try world.vault.requests.map { try JSONCursor.parse($0.body ?? []) }
        #expect(Set(try bodies.map { try $0.string("nonce") }).count == 2)
        #expect(Set(try bodies.map { try $0.string("target") }).count == 2)
    }

    @Test(
        "a store that wraps an empty or cut key releases nothing",
        arguments: [StoreMisbehaviour.emptyCiphertext, .shortCiphertext, .unevenCiphertext, .otherWrappingKey, .otherKeyName])
    func hostileStore(how: StoreMisbehaviour) async throws {
        let world = try World()
        world.vault.misbehave(how)
        await #expect(throws: BrokerError.self) { try await world.release("rsa-key", from: world.vault.endpoint) }
        #expect(world.vault.requests.count == 1 && world.hsm.requests.isEmpty)
    }

    @Test(
        "a token that is refused reaches no store",
        arguments: [AuthorityMisbehaviour.signedByAnotherKey, .unsigned, .foreignIssuer, .expired, .otherRuntimeKey]) func hostileAuthority(
            how: AuthorityMisbehaviour
        ) async throws
    {
        let world = try World()
        world.authority.misbehave(how)
        for store in [world.vault.endpoint, world.hsm.endpoint] {
            await #expect(throws: BrokerError.self) { try await world.release("rsa-key", from: store) }
        }
        #expect(world.vault.requests.isEmpty && world.hsm.requests.isEmpty)
    }
}
