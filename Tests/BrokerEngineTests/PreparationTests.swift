import BrokerCore
import BrokerTestKit
import HTTPTransport
import Testing

@testable import BrokerEngine

/// A store that can get ready.
private struct PreparingStore: KeyStore {
    let store: FakeStore
    let ready: @Sendable () async throws(BrokerError) -> Void

    var defaultEndpoint: Endpoint? { store.defaultEndpoint }
    func claims(_ endpoint: Endpoint) -> Bool { store.claims(endpoint) }

    func prepare(for endpoint: Endpoint, as caller: CallerCredential, in context: RequestContext) async throws(BrokerError) {
        try await ready()
    }

    func release(_ key: KeyReference, presenting token: AttestationToken, as caller: CallerCredential, in context: RequestContext)
        async throws(BrokerError) -> WrappedKey
    { try await store.release(key, presenting: token, as: caller, in: context) }
}

@Suite("A key store that gets ready", .timeLimit(.minutes(5))) struct PreparationTests {
    @Test("does so while the evidence is collected") func together() async throws {
        var subject = try EngineUnderTest()
        let evidence = Gate()
        let prepared = Gate()
        subject.evidence = { binding throws(BrokerError) in
            await evidence.wait()
            return Honest.evidence(binding)
        }
        let store = PreparingStore(
            store: FakeStore(calls: subject.calls, defaultEndpoint: try Endpoint("one.vault.example"), answer: subject.wrapped)
        ) { () async throws(BrokerError) in await prepared.wait() }
        let engine = try subject.engine(keyStores: [NamedProvider("vault", store)])
        let request = ReleaseRequest(key: try #require(KeyName("k")))
        let release = Task { _ = try await engine.release(request, in: engine.makeContext(id: "test")) }
        // Both are under way at the same time, or this never ends.
        try await eventually { evidence.waiting == 1 && prepared.waiting == 1 }
        prepared.open()
        evidence.open()
        try await release.value
    }

    @Test("and cannot: nothing is asked of it, and the error is its own") func failing() async throws {
        let subject = try EngineUnderTest()
        let store = PreparingStore(
            store: FakeStore(calls: subject.calls, defaultEndpoint: try Endpoint("one.vault.example"), answer: subject.wrapped)
        ) { () async throws(BrokerError) in throw BrokerError(.identityFailed, at: .identity, "no identity") }
        let engine = try subject.engine(keyStores: [NamedProvider("vault", store)])
        let error = await failure(of: ReleaseRequest(key: try #require(KeyName("k"))), by: engine)
        #expect(error?.outcome == "identityFailed at identity")
        #expect(subject.calls.count.store == 0)
    }
}
