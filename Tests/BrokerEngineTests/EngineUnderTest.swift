import BrokerCore
import BrokerTestKit
import HTTPTransport
import OpenSSLCrypto
import SecureMemory
import Testing

@testable import BrokerEngine

/// An engine over fakes that answer honestly unless a test says otherwise.
struct EngineUnderTest {
    let calls = Calls()
    let log = RecordedLog()
    var evidence: FakeEvidence.Answer = { binding throws(BrokerError) in Honest.evidence(binding) }
    var provenance = Evidence.Provenance.fixture
    var token: FakeVerifier.Answer = { runtime, authority throws(BrokerError) in try Honest.token(runtime, authority) }
    var wrapped: FakeStore.Answer
    var defaultAuthority = "one.attest.example"
    var alternateAuthorities: [String] = []
    var requestTimeout = Duration.seconds(600)
    var releaseLimit = 64
    var releaseQueue = 256
    var refusalMemory = Duration.seconds(1)
    var session: ReleaseSessionOptions?
    var refusedKeyMemory = Duration.zero

    /// Releases `key` where nothing else is said.
    init(releasing key: SampleKey? = nil) throws {
        let key = try key ?? Honest.key(.oct)
        wrapped = { reference, token throws(BrokerError) in try Honest.wrapped(reference, token, key) }
    }

    func engine(
        keyStores: [NamedProvider<any KeyStore>]? = nil, wrappingKeys: WrappingKeyPool? = nil, upstreams: (any UpstreamReporting)? = nil,
        observers: [any RequestObserver] = [], callers: CallerGate = CallerGate(), judges: [NamedProvider<any EvidenceJudge>] = [],
        rule: VerifierRule = .all
    ) throws -> BrokerEngine {
        let store: any KeyStore = FakeStore(calls: calls, defaultEndpoint: try Endpoint("one.vault.example"), answer: wrapped)
        var options = BrokerEngine.Options(
            requestTimeout: requestTimeout, releaseLimit: releaseLimit, releaseQueue: releaseQueue, session: session)
        options.refusalMemory = refusalMemory
        options.refusedKeyMemory = refusedKeyMemory
        return BrokerEngine(
            evidence: NamedProvider("fake", FakeEvidence(calls: calls, provenance: provenance, answer: evidence)),
            verifier: NamedProvider(
                "attest",
                FakeVerifier(
                    calls: calls, defaultAuthority: defaultAuthority.isEmpty ? nil : try Endpoint(defaultAuthority),
                    alternateAuthorities: try alternateAuthorities.map { try Endpoint($0) }, answer: token)
            ), keyStores: keyStores ?? [NamedProvider("vault", store)], judges: judges, rule: rule,
            wrappingKeys: wrappingKeys ?? WrappingKeyPool(capacity: 0, logger: log.logger()), options: options, upstreams: upstreams,
            clock: ManualClock(), logger: log.logger(), observers: observers, callers: callers)
    }

    /// What went wrong with a release, or `nil` where a key came out.
    func failure(kid: String = "k", store: String? = nil, authority: String? = nil) async throws -> BrokerError? {
        let request = ReleaseRequest(
            key: try #require(KeyName(kid)), store: try store.map { try Endpoint($0) }, authority: try authority.map { try Endpoint($0) })
        return await BrokerEngineTests.failure(of: request, by: try engine())
    }
}

func failure(of request: ReleaseRequest, by engine: BrokerEngine) async -> BrokerError? {
    do {
        _ = try await engine.release(request, in: engine.makeContext(id: "test"))
        return nil
    } catch { return error }
}

extension BrokerError {
    /// Where and what, for comparison.
    var outcome: String { "\(code.rawValue) at \(stage.rawValue)" }
}

extension ReleasedKey {
    /// The JWK as text; a test may copy it.
    borrowing func text() -> String { jwk.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
}

extension BrokerEngine.Options {
    init(requestTimeout: Duration) { self.init(requestTimeout: requestTimeout, releaseLimit: 64, releaseQueue: 256, session: nil) }
}
