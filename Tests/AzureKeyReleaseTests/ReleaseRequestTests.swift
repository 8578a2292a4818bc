import AzureServices
import AzureKeyRelease
import BrokerCore
import BrokerTestKit
import HTTPTransport
import OpenSSLCrypto
import SecureMemory
import StrictJSON
import Testing

@Suite("What a key store is asked") struct ReleaseRequestTests {
    private func store() throws -> ScriptedKeyStore {
        ScriptedKeyStore(endpoint: try Endpoint("contoso.vault.azure.net"), signers: try signers.get())
    }

    @Test("path, fields and the broker's token for the cloud's audience") func shape() async throws {
        let service = try store()
        let fixture = try ReleaseFixture(transport: service)
        let token = try attestationToken()
        _ = try await fixture.release("rsa-key/\(SampleKey.version)", token: token)
        let request = try #require(service.requests.first)
        #expect(request.method == .post)
        #expect(request.target == .service(try Endpoint("contoso.vault.azure.net")))
        #expect(request.path == "/keys/rsa-key/\(SampleKey.version)/release?api-version=7.4")
        #expect(request.bearer?.reveal() == "broker-identity-canary-token")
        #expect(request.headers.allSatisfy { $0.name.lowercased() != "authorization" })
        let body = try JSONCursor.parse(request.body ?? [])
        #expect(Set(try body.object().keys) == ["target", "nonce", "enc"])
        #expect(try body.string("target") == token.compact)
        #expect(try body.string("enc") == "RSA_AES_KEY_WRAP_256")
        #expect(try body.string("nonce").utf8.count == 64)
        #expect(fixture.tokens.audiences == ["https://vault.azure.net"])
        #expect(service.requests.count == 1, "no request without a token first, and none twice")
    }

    @Test("nonces differ") func nonces() async throws {
        let service = try store()
        let fixture = try ReleaseFixture(transport: service)
        for _ in 0..<3 { _ = try await fixture.release() }
        let nonces = try service.requests.map { try JSONCursor.parse($0.body ?? []).string("nonce") }
        #expect(Set(nonces).count == 3)
    }

    @Test("each wrapping algorithm is asked for by its name", arguments: KeyWrapAlgorithm.allCases) func algorithms(
        algorithm: KeyWrapAlgorithm
    ) async throws {
        let fixture = try ReleaseFixture(settings: ["wrap-algorithm": .string(algorithm.rawValue)], transport: try store())
        #expect(try await fixture.release().algorithm == algorithm)
    }

    @Test(
        "the audience is that of the cloud and the kind, never of the name",
        arguments: [
            (KeyStoreKind.keyVault, "public", "managedhsm-x.vault.azure.net", "https://vault.azure.net"),
            (.managedHSM, "public", "x.managedhsm.azure.net", "https://managedhsm.azure.net"),
            (.keyVault, "us-government", "x.vault.usgovcloudapi.net", "https://vault.usgovcloudapi.net"),
            (.managedHSM, "china", "x.managedhsm.azure.cn", "https://managedhsm.azure.cn"),
        ]) func audiences(kind: KeyStoreKind, cloud: String, host: String, audience: String) async throws
    {
        let fixture = try ReleaseFixture(kind: kind, host: host, cloud: cloud, transport: ScriptedTransport(script: []))
        _ = await fixture.failure()
        #expect(fixture.tokens.audiences == [audience])
    }

    @Test("without an access token nothing is sent, and the identity's error comes through") func noToken() async throws {
        let service = try store()
        let fixture = try ReleaseFixture(
            tokens: StaticAccessTokens(failing: BrokerError(.identityFailed, at: .identity, "no identity")), transport: service)
        let error = try #require(await fixture.failure())
        #expect(error.code == .identityFailed)
        #expect(error.stage == .identity)
        #expect(service.requests.isEmpty)
    }

    @Test("a certificate that was valid yesterday is not believed tomorrow") func clock() async throws {
        let fixture = try ReleaseFixture(transport: try store())
        _ = try await fixture.release()
        fixture.clock.set(2_019_686_400 + 1)
        #expect(await fixture.failure()?.code == .upstreamInvalid)
        fixture.clock.set(1_704_067_200 - 1)
        #expect(await fixture.failure()?.code == .upstreamInvalid)
    }

    @Test(
        "a signer that was believed before makes no bad signature good",
        arguments: [
            StoreMisbehaviour.untrustedChain, .otherHostCertificate, .expiredCertificate, .signerIsNotLeaf, .tamperedSignature,
            .tamperedPayload, .missingChain, .emptyChain, .unsigned, .symmetricAlgorithm, .otherAlgorithm, .ellipticSigner,
            .criticalExtension,
        ]) func knownSigner(how: StoreMisbehaviour) async throws
    {
        let service = try store()
        let fixture = try ReleaseFixture(transport: service)
        for _ in 0..<2 {
            _ = try await fixture.release()
            service.misbehave(how)
            #expect(await fixture.failure()?.code == .upstreamInvalid)
            service.misbehave(nil)
        }
        _ = try await fixture.release()
    }

    @Test("a root that comes with the message is not trusted, and the error says where a private one belongs") func ownRoot() async throws {
        let service = try store()
        service.misbehave(.untrustedChain)
        let error = try #require(await ReleaseFixture(transport: service).failure())
        #expect(error.code == .upstreamInvalid)
        #expect(error.message.contains("tls.ca-file"))
    }

    @Test(
        "trusted authorities that cannot be loaded, or none at all, are a problem of the configuration",
        arguments: [TLSTrust(includesSystemDefaults: false), TLSTrust(files: ["/nonexistent/root.pem"], includesSystemDefaults: false)])
    func trust(trust: TLSTrust) throws {
        do {
            _ = try AzureKeyStore(
                .keyVault, try KeyStoreSettings(Settings(path: "store")), .forTest(transport: ScriptedTransport(script: []), trust: trust))
            Issue.record("made without trusted authorities")
        } catch { #expect(error.code == .misconfigured) }
    }
}

@Suite("Readiness of a key store") struct StoreReadinessTests {
    private func obstacles(
        _ answer: Result<HTTPResponse, HTTPTransportError>, tokens: any AccessTokenSource = StaticAccessTokens(),
        endpoint: String? = "contoso.vault.azure.net"
    ) async throws -> (found: [String], requests: [HTTPRequest]) {
        let transport = ScriptedTransport(script: [answer])
        let settings: [String: RawSetting] = endpoint.map { ["endpoint": .string($0)] } ?? [:]
        let store = try AzureKeyStore(
            .keyVault, try KeyStoreSettings(Settings(path: "store", values: settings)),
            .forTest(transport: transport, accessTokens: tokens, trust: try signers.get().chain.trust))
        _ = await store.obstacles(in: .forTest())
        return (await store.obstacles(in: .forTest()), transport.requests)
    }

    @Test("a store that refuses to talk without a token is there, and is not asked again for a minute") func reachable() async throws {
        let (found, requests) = try await obstacles(.success(HTTPResponse(status: 401)))
        #expect(found == [])
        #expect(requests.count == 1)
        #expect(requests.allSatisfy { $0.bearer == nil && $0.path == "/" && $0.method == .get })
    }

    @Test("a store that cannot be reached, and an identity without a token, are obstacles in words") func obstacle() async throws {
        let (found, requests) = try await obstacles(
            .failure(.tlsFailed(reason: "untrusted")),
            tokens: StaticAccessTokens(failing: BrokerError(.identityFailed, at: .identity, "no such identity")))
        #expect(found.first?.hasPrefix("contoso.vault.azure.net cannot be reached") == true)
        #expect(found.last == "no such identity")
        #expect(requests.count == 2, "a failure is not remembered")
    }

    @Test("without a default endpoint or an identity there is nothing to ask") func nothing() async throws {
        let (found, requests) = try await obstacles(.success(HTTPResponse(status: 401)), tokens: NoIdentity(), endpoint: nil)
        #expect(found == [])
        #expect(requests.isEmpty)
    }
}
