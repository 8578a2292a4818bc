import BrokerCore
import BrokerTestKit
import HTTPTransport
import Testing

@Suite("Published keys of an authority") struct PublishedKeysTests {
    @Test("are fetched once for many tokens, and again when they are old") func cached() async throws {
        let fixture = try MAAFixture()
        for _ in 0..<3 { _ = try await fixture.token() }
        #expect(fixture.keyRequests == 1)
        fixture.clock.advance(by: 3599)
        _ = try await fixture.token()
        #expect(fixture.keyRequests == 1)
        fixture.clock.advance(by: 1)
        _ = try await fixture.token()
        #expect(fixture.keyRequests == 2)
    }

    @Test("are asked for once more when a token names an unknown key, and then no more") func rotation() async throws {
        let fixture = try MAAFixture()
        _ = try await fixture.token()
        fixture.authority.rotateKeyName()
        _ = try await fixture.token()
        #expect(fixture.keyRequests == 2)
        fixture.authority.misbehave(.unknownKeyID)
        fixture.clock.advance(by: 10)
        #expect(await fixture.failure()?.code == .upstreamInvalid)
        #expect(fixture.keyRequests == 3)
    }

    @Test("are asked for at most every ten seconds because of unknown keys (C25)") func unknownKeysAreLimited() async throws {
        let fixture = try MAAFixture()
        _ = try await fixture.token()
        fixture.authority.misbehave(.unknownKeyID)
        for _ in 0..<30 { #expect(await fixture.failure()?.code == .upstreamInvalid) }
        #expect(fixture.keyRequests == 2)
        fixture.clock.advance(by: 10)
        #expect(await fixture.failure()?.code == .upstreamInvalid)
        #expect(fixture.keyRequests == 3)
    }

    @Test("stay usable while the authority cannot show them") func outage() async throws {
        let fixture = try MAAFixture()
        _ = try await fixture.token()
        fixture.authority.misbehave(.keysUnavailable)
        _ = try await fixture.token()
        fixture.clock.advance(by: 3600)
        #expect(await fixture.failure()?.code == .upstreamUnavailable, "old keys are not believed for ever")
    }

    @Test("are fetched once for 50 requests at the same time") func singleFlight() async throws {
        let fixture = try MAAFixture()
        let succeeded = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 { group.addTask { (try? await fixture.token()) != nil } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(succeeded == 50)
        #expect(fixture.keyRequests == 1)
    }

    @Test("come from the authority alone, whatever the token says") func origin() async throws {
        let fixture = try MAAFixture(.embeddedKey)
        #expect(await fixture.failure()?.code == .upstreamInvalid)
        #expect(fixture.authority.requests.allSatisfy { $0.target == .service(fixture.authority.endpoint) })
    }

    @Test("decide whether the verifier is ready") func readiness() async throws {
        let settings: [String: RawSetting] = ["endpoint": .string(authorityName)]
        let ready = try MAAFixture(settings: settings)
        let reporter = try #require(ready.verifier as? any ReadinessReporting)
        #expect(await reporter.obstacles(in: .forTest()) == [])
        #expect(await reporter.obstacles(in: .forTest()) == [])
        #expect(ready.keyRequests == 1)
        let failing = try MAAFixture(.keysUnavailable, settings: settings)
        let obstacles = await (failing.verifier as? any ReadinessReporting)?.obstacles(in: .forTest())
        #expect(obstacles?.first?.contains("answered 503") == true)
        let unconfigured = try MAAFixture(.keysUnavailable)
        #expect(await (unconfigured.verifier as? any ReadinessReporting)?.obstacles(in: .forTest()) == [])
    }
}
