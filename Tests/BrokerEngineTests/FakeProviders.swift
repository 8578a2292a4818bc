import BrokerCore
import HTTPTransport
import Synchronization

/// How often each provider was asked, and with which contexts.
final class Calls: Sendable {
    struct Count: Equatable, Sendable {
        var evidence = 0
        var verifier = 0
        var store = 0
    }

    private let state = Mutex((count: Count(), contexts: [RequestContext]()))

    var count: Count { state.withLock { $0.count } }
    /// In the order of the calls.
    var contexts: [RequestContext] { state.withLock { $0.contexts } }

    func note(_ provider: any WritableKeyPath<Count, Int> & Sendable, _ context: RequestContext) {
        state.withLock { state in
            state.count[keyPath: provider] += 1
            state.contexts.append(context)
        }
    }
}

/// An evidence provider that does what a closure says.
struct FakeEvidence: EvidenceProvider {
    typealias Answer = @Sendable (ReportData) async throws(BrokerError) -> Evidence

    let calls: Calls
    var provenance = Evidence.Provenance.fixture
    var answer: Answer

    func evidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence {
        calls.note(\.evidence, context)
        return try await answer(binding)
    }
}

/// A verifier that accepts everything under `attest.example` and does what a closure says.
struct FakeVerifier: Verifier {
    typealias Answer = @Sendable (RuntimeData, Endpoint) async throws(BrokerError) -> AttestationToken

    let calls: Calls
    var defaultAuthority: Endpoint?
    var alternateAuthorities: [Endpoint] = []
    var answer: Answer

    func accepts(_ authority: Endpoint) -> Bool { authority.isUnder("attest.example") }

    func token(for evidence: Evidence, runtimeData: RuntimeData, from authority: Endpoint, in context: RequestContext)
        async throws(BrokerError) -> AttestationToken
    {
        calls.note(\.verifier, context)
        return try await answer(runtimeData, authority)
    }
}

/// A key store that claims everything directly under `suffix` and does what a closure says.
struct FakeStore: KeyStore {
    typealias Answer = @Sendable (KeyReference, AttestationToken) async throws(BrokerError) -> WrappedKey

    let calls: Calls
    var suffix = "vault.example"
    var defaultEndpoint: Endpoint?
    var answer: Answer

    func claims(_ endpoint: Endpoint) -> Bool { endpoint.isDirectlyUnder(suffix) }

    func release(_ key: KeyReference, presenting token: AttestationToken, as caller: CallerCredential, in context: RequestContext)
        async throws(BrokerError) -> WrappedKey
    {
        calls.note(\.store, context)
        return try await answer(key, token)
    }
}
