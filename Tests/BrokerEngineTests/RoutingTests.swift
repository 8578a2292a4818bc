import BrokerCore
import BrokerEngine
import BrokerTestKit
import HTTPTransport
import Testing

@Suite("Which authority and which store a request goes to") struct RoutingTests {
    private func store(_ subject: EngineUnderTest, _ suffix: String, default endpoint: String? = nil) throws -> FakeStore {
        FakeStore(calls: subject.calls, suffix: suffix, defaultEndpoint: try endpoint.map { try Endpoint($0) }, answer: subject.wrapped)
    }

    private func request(store: String? = nil, authority: String? = nil) throws -> ReleaseRequest {
        ReleaseRequest(
            key: try #require(KeyName("k")), store: try store.map { try Endpoint($0) }, authority: try authority.map { try Endpoint($0) })
    }

    @Test("a store that nobody claims is asked nothing, and nobody else is") func unclaimed() async throws {
        let subject = try EngineUnderTest()
        for name in ["one.elsewhere.example", "vault.example", "a.b.vault.example", "one.vault.example.evil.example"] {
            let error = try #require(try await subject.failure(store: name))
            #expect(error.outcome == "noProvider at route")
            #expect(error.message.contains(name) && error.message.contains("'vault'"))
        }
        #expect(subject.calls.count == Calls.Count())
    }

    @Test("a store that two claim is asked nothing, and nobody else is") func claimedTwice() async throws {
        let subject = try EngineUnderTest()
        let engine = try subject.engine(keyStores: [
            NamedProvider("first", try store(subject, "vault.example")), NamedProvider("second", try store(subject, "vault.example")),
            NamedProvider("third", try store(subject, "hsm.example")),
        ])
        let error = try #require(await failure(of: try request(store: "one.vault.example"), by: engine))
        #expect(error.outcome == "noProvider at route")
        #expect(error.message.contains("'first', 'second'") && !error.message.contains("third"))
        #expect(subject.calls.count == Calls.Count())
    }

    @Test("a store that one claims is asked once") func claimedOnce() async throws {
        let subject = try EngineUnderTest()
        let others = Calls()
        let engine = try subject.engine(keyStores: [
            NamedProvider("other", FakeStore(calls: others, suffix: "hsm.example", answer: subject.wrapped)),
            NamedProvider("right", try store(subject, "vault.example")),
        ])
        let released = try await engine.release(try request(store: "two.vault.example"), in: engine.makeContext(id: "test"))
        #expect(released.keyID == "https://two.vault.example/keys/k/\(Honest.version)")
        #expect(subject.calls.count == Calls.Count(evidence: 1, verifier: 1, store: 1))
        #expect(others.count == Calls.Count())
    }

    @Test("without a named store, the first configured one that has an endpoint is asked") func defaultStore() async throws {
        let subject = try EngineUnderTest()
        let engine = try subject.engine(keyStores: [
            NamedProvider("a", try store(subject, "a.example")),
            NamedProvider("b", try store(subject, "b.example", default: "one.b.example")),
            NamedProvider("c", try store(subject, "c.example", default: "one.c.example")),
        ])
        let released = try await engine.release(try request(), in: engine.makeContext(id: "test"))
        #expect(released.keyID.hasPrefix("https://one.b.example/keys/k/"))
    }

    @Test("without a named store and without a configured one, the request is at fault") func noStore() async throws {
        let subject = try EngineUnderTest()
        let engine = try subject.engine(keyStores: [
            NamedProvider("a", try store(subject, "a.example")), NamedProvider("b", try store(subject, "b.example")),
        ])
        let error = try #require(await failure(of: try request(), by: engine))
        #expect(error.outcome == "invalidRequest at route")
        #expect(error.message.contains("key-stores.a.endpoint or key-stores.b.endpoint"))
        #expect(subject.calls.count == Calls.Count())
    }

    @Test("an authority that the verifier does not speak to is asked nothing, for a release and for a token") func unknownAuthority()
        async throws
    {
        let subject = try EngineUnderTest()
        for name in ["one.elsewhere.example", "attest.example", "one.attest.example.evil.example"] {
            let error = try #require(try await subject.failure(authority: name))
            #expect(error.outcome == "noProvider at route")
            #expect(error.message.contains(name))
            let engine = try subject.engine()
            await #expect(throws: BrokerError.self) {
                try await engine.token(for: RuntimeData([]), from: try Endpoint(name), in: engine.makeContext(id: "test"))
            }
        }
        #expect(subject.calls.count == Calls.Count())
    }

    @Test("a named authority is the one that is asked, otherwise the configured one") func authority() async throws {
        let subject = try EngineUnderTest()
        let engine = try subject.engine()
        for (named, asked) in [("two.attest.example", "two.attest.example"), (nil, "one.attest.example")] {
            let token = try await engine.token(
                for: RuntimeData(Array("{}".utf8)), from: try named.map { try Endpoint($0) }, in: engine.makeContext(id: "test"))
            #expect(token.authority == (try Endpoint(asked)))
        }
    }

    @Test("without a named authority and without a configured one, the request is at fault") func noAuthority() async throws {
        var subject = try EngineUnderTest()
        subject.defaultAuthority = ""
        let error = try #require(try await subject.failure())
        #expect(error.outcome == "invalidRequest at route")
        #expect(error.message.contains("verifier.attest.endpoint"))
        #expect(subject.calls.count == Calls.Count())
    }
}
