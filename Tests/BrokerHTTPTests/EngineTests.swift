import Issuing
import BrokerCore
import BrokerEngine
import BrokerTestKit
import HTTPTransport
import JOSE
import Logging
import OpenSSLCrypto
import SNPReport
import SecureMemory
import StrictJSON
import Testing

@testable import BrokerHTTP

/// The routes in front of the real engine, with small providers that keep to their contracts.
struct EngineTests {
    private struct Device: EvidenceProvider {
        var provenance: Evidence.Provenance { .fixture }

        func evidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence {
            guard let sample = try? SampleEvidence.evidence(for: RuntimeData([])) else {
                throw BrokerError(.internal, at: .evidence, "no sample")
            }
            var report = ReportBuilder()
            report.reportData = binding.bytes
            report.setEveryTCB(TCBVersion(raw: 0x7308_0000_0000_0003))
            return Evidence(
                report: report.unsignedBytes(), endorsements: sample.endorsements, endorsedTCB: sample.endorsedTCB,
                platformEndorsements: [[1, 2, 3]], provenance: .fixture)
        }
    }

    private struct Authority: Verifier {
        var defaultAuthority: Endpoint?

        func accepts(_ authority: Endpoint) -> Bool { authority.isUnder("attest.azure.net") }

        func token(for evidence: Evidence, runtimeData: RuntimeData, from authority: Endpoint, in context: RequestContext)
            async throws(BrokerError) -> AttestationToken
        {
            let claims = #"{"exp":4102444800,"x-ms-runtime":"# + String(decoding: runtimeData.bytes, as: UTF8.self) + "}"
            return try AttestationToken(compact: JWSBuilder.unsecured(payload: Array(claims.utf8)), authority: authority)
        }
    }

    private struct Store: KeyStore {
        let secret: [UInt8]
        var defaultEndpoint: Endpoint? { nil }

        func claims(_ endpoint: Endpoint) -> Bool { endpoint.isDirectlyUnder("vault.azure.net") }

        func release(_ key: KeyReference, presenting token: AttestationToken, as caller: CallerCredential, in context: RequestContext)
            async throws(BrokerError) -> WrappedKey
        {
            guard key.name.name == "k" else { throw BrokerError(.keyNotFound, at: .release, "there is no key \(key)") }
            do {
                let claims = try JWS(compact: token.compact, maximumBytes: 1 << 16).payload(limits: JSONLimits())
                let keys = try claims.member("x-ms-runtime").member("keys").array()
                let wrapping = try JWK(try #require(keys.first)).publicKey
                let plain = SecretBytes(capacity: secret.count) { memory in
                    memory.copyBytes(from: secret)
                    return secret.count
                }
                return WrappedKey(
                    keyID: "\(key)/0123456789abcdef0123456789abcdef", type: .oct, operations: [], algorithm: .ckmRSAAESKeyWrap,
                    ciphertext: try KeyWrap.wrap(plain, to: wrapping, using: .ckmRSAAESKeyWrap), publicPart: nil)
            } catch { throw BrokerError(.internal, at: .release, "\(error)") }
        }
    }

    private func engine(authority: String? = nil) throws -> BrokerEngine {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return BrokerEngine(
            evidence: NamedProvider("fake", Device()),
            verifier: NamedProvider("maa", Authority(defaultAuthority: try authority.map { try Endpoint($0) })),
            keyStores: [NamedProvider("akv", Store(secret: Array("sixteen bytes ok".utf8)))],
            wrappingKeys: WrappingKeyPool(capacity: 0, logger: logger),
            options: .init(requestTimeout: .seconds(30), releaseLimit: 64, releaseQueue: 256, session: nil), logger: logger)
    }

    @Test func aReleasedKeyIsAJSONStringInTheAnswer() async throws {
        let answer = try await TestServer.run(try engine(authority: "demo.attest.azure.net")) {
            try await $0.post("/key/release", #"{"kid":"k","akv_endpoint":"demo.vault.azure.net"}"#)
        }
        #expect(answer.status == 200)
        #expect(answer.text == #"{"key":"{\"k\":\"c2l4dGVlbiBieXRlcyBvaw\",\"kty\":\"oct\"}"}"#)
        #expect(answer.header("x-evidence-provenance") == "fixture")
    }

    @Test func evidenceIsTheDevices() async throws {
        try await TestServer.run(try engine()) { server in
            let raw = try JSONCursor.parse(try await server.post("/attest/raw", #"{"runtime_data":"aGVsbG8="}"#).body)
            let report = try #require(Hex.decode(try raw.string("report")))
            #expect(Array(report[0x50..<0x90]) == RuntimeData(Array("hello".utf8)).reportData.bytes)
            let combined = try JSONCursor.parse(try await server.post("/attest/combined", #"{"runtime_data":"aGVsbG8="}"#).body)
            #expect(Base64.decode(try combined.string("evidence")) == report)
            #expect(try combined.string("endorsed_tcb") == "7308000000000003")
            let chain = try #require(Base64.decode(try combined.string("endorsements")))
            #expect(try Certificate.parse(pemOrDER: chain, maximumCount: 5).count == 2)
        }
    }

    @Test func whatTheEngineRefusesIsSaidInTheOriginalsWords() async throws {
        try await TestServer.run(try engine()) { server in
            func error(_ path: String, _ body: String) async throws -> (Int, String, String) {
                let answer = try await server.post(path, body)
                let document = try JSONCursor.parse(answer.body)
                return (answer.status, try document.string("code"), try document.string("error"))
            }
            let missing = try await error("/attest/maa", #"{"runtime_data":"e30="}"#)
            #expect(missing.0 == 400 && missing.1 == "invalidRequest")
            #expect(
                missing.2
                    == "invalid request format: Key: 'MAAAttestData.MAAEndpoint' Error:Field validation for 'MAAEndpoint' failed on the 'required' tag"
            )
            let stranger = try await error(
                "/key/release", #"{"kid":"k","maa_endpoint":"attest.example.org","akv_endpoint":"demo.vault.azure.net"}"#)
            #expect(stranger.0 == 403 && stranger.1 == "noProvider")
            #expect(stranger.2.hasPrefix("secure key release failed: "))
            let nowhere = try await error("/key/release", #"{"kid":"k","maa_endpoint":"demo.attest.azure.net"}"#)
            #expect(nowhere.0 == 400 && nowhere.2.contains("akv_endpoint"))
            let absent = try await error(
                "/key/release", #"{"kid":"other","maa_endpoint":"demo.attest.azure.net","akv_endpoint":"demo.vault.azure.net"}"#)
            #expect(absent.0 == 403 && absent.1 == "keyNotFound")
            #expect(
                absent.2
                    == "secure key release failed: releasing the key other failed: there is no key https://demo.vault.azure.net/keys/other")
        }
    }

    @Test func readinessComesFromTheProviders() async throws {
        let answer = try await TestServer.run(try engine()) { try await $0.ask(request("GET", "/readyz")) }
        #expect(answer.text == #"{"ready":true,"reasons":[],"evidence":"fixture"}"#)
    }
}
