import Waiting
import AzureServices
import BrokerCore
import BrokerTestKit
import HTTPTransport
import Testing

@Suite("Access token cache") struct TokenCacheTests {
    private func counting(expiresIn: Int) throws -> IdentityFixture {
        let count = Counter()
        return try IdentityFixture(transport: ScriptedTransport { _ in metadataToken("token-\(count.increment())", expiresIn: expiresIn) })
    }

    @Test("a token is reused until 80 % of its life") func eightyPercent() async throws {
        let fixture = try counting(expiresIn: 1000)
        #expect(try await fixture.token() == "token-1")
        fixture.clock.advance(by: 799)
        #expect(try await fixture.token() == "token-1")
        fixture.clock.advance(by: 1)
        #expect(try await fixture.token() == "token-2")
    }

    @Test("and never within a minute of its end") func lastMinute() async throws {
        let fixture = try counting(expiresIn: 100)
        #expect(try await fixture.token() == "token-1")
        fixture.clock.advance(by: 39)
        #expect(try await fixture.token() == "token-1")
        fixture.clock.advance(by: 1)
        #expect(try await fixture.token() == "token-2")
    }

    @Test("a token that lives less than a minute is used once") func shortLived() async throws {
        let fixture = try counting(expiresIn: 45)
        #expect(try await fixture.token() == "token-1")
        #expect(try await fixture.token() == "token-2")
    }

    @Test("a clock that jumps a day either way makes the token be asked for again") func clockJumps() async throws {
        let fixture = try counting(expiresIn: 3600)
        #expect(try await fixture.token() == "token-1")
        fixture.clock.advance(by: -86_400)
        #expect(try await fixture.token() == "token-2")
        fixture.clock.advance(by: 86_400)
        #expect(try await fixture.token() == "token-3")
    }

    @Test("audiences do not share a token") func audiences() async throws {
        let fixture = try counting(expiresIn: 3600)
        #expect(try await fixture.token("https://vault.azure.net") == "token-1")
        #expect(try await fixture.token("https://managedhsm.azure.net") == "token-2")
        #expect(try await fixture.token("https://vault.azure.net") == "token-1")
    }

    @Test("a failure is not kept") func failures() async throws {
        let fixture = try IdentityFixture(script: [.success(answer(400)), .success(metadataToken())])
        #expect(await fixture.failure()?.code == .identityFailed)
        #expect(try await fixture.token() == canary)
    }

    @Test("200 callers at once make one request") func singleFlight() async throws {
        let started = Counter()
        let fixture = try IdentityFixture(
            transport: ScriptedTransport { _ in
                while started.value < 200 { await Task.yield() }
                return metadataToken()
            })
        let tokens = await withTaskGroup(of: String?.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    started.increment()
                    return try? await fixture.token()
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(tokens == Array(repeating: canary, count: 200))
        #expect(fixture.transport.requests.count == 1)
    }
}

@Suite("Single-flight cache", .timeLimit(.minutes(5))) struct SingleFlightCacheTests {
    private let cache = SingleFlightCache<String, Int>(capacity: 2, clock: ManualClock(), stage: .identity)

    @Test("a caller who joins waits for the same fetch, and the fetch runs until the later deadline") func joins() async throws {
        let near = RequestContext.forTest(timeout: .seconds(3000))
        let far = RequestContext.forTest(timeout: .seconds(6000))
        let fetches = Counter()
        let cache = cache
        async let first = cache.value(for: "k", in: near) { context in
            fetches.increment()
            // Only the second caller has the later deadline: it has joined when that shows.
            while context.deadline != far.deadline { await Task.yield() }
            return .init(7, freshFor: .zero)
        }.value
        while fetches.value == 0 { await Task.yield() }
        let second = try await cache.value(for: "k", in: far) { _ in
            fetches.increment()
            return .init(8, freshFor: .zero)
        }
        #expect(second.value == 7)
        #expect(try await first == 7)
        #expect(fetches.value == 1)
    }

    @Test("the end of the first caller's time is told to that one alone; who has joined fetches again") func leadersDeadline() async throws
    {
        let cache = cache
        let far = RequestContext.forTest(timeout: .seconds(6000))
        let begun = Counter()
        let first = Task {
            try await cache.value(for: "k", in: .forTest(timeout: .seconds(3000))) { context throws(BrokerError) in
                begun.increment()
                while context.deadline != far.deadline { await Task.yield() }
                throw BrokerError(.deadlineExceeded, at: .identity, "a request had the first caller's deadline")
            }.value
        }
        while begun.value == 0 { await Task.yield() }
        #expect(try await cache.value(for: "k", in: far) { _ in .init(8, freshFor: .zero) }.value == 8)
        await #expect(throws: BrokerError.self) { try await first.value }
    }

    @Test("a fetch that nobody waits for any more is cancelled") func abandoned() async throws {
        let begun = Counter()
        let ended = Counter()
        let cache = cache
        let call = Task {
            try await cache.value(for: "k", in: .forTest()) { _ in
                begun.increment()
                while !Task.isCancelled { await Task.yield() }
                ended.increment()
                return .init(1, freshFor: .seconds(100))
            }.value
        }
        while begun.value == 0 { await Task.yield() }
        call.cancel()
        let error = await #expect(throws: BrokerError.self) { try await call.value }
        #expect(error?.code == .deadlineExceeded && error?.stage == .identity)
        while ended.value == 0 { await Task.yield() }
        let next = try await cache.value(for: "k", in: .forTest()) { _ in .init(2, freshFor: .zero) }
        #expect(next.value == 2, "an abandoned fetch must not fill the cache")
    }

    @Test("keeps no more than its capacity") func capacity() async throws {
        for (key, value, life) in [("a", 1, 10), ("b", 2, 20), ("c", 3, 30)] {
            _ = try await cache.value(for: key, in: .forTest()) { _ in .init(value, freshFor: .seconds(life)) }
        }
        let again = try await cache.value(for: "a", in: .forTest()) { _ in .init(9, freshFor: .zero) }
        #expect(again.value == 9, "the entry that would expire first made room")
        let kept = try await cache.value(for: "c", in: .forTest()) { _ in .init(9, freshFor: .zero) }
        #expect(kept.value == 3)
    }

    @Test("a stale generation is fetched again, and only once") func generations() async throws {
        let first = try await cache.value(for: "a", in: .forTest()) { _ in .init(1, freshFor: .seconds(60)) }
        let second = try await cache.value(for: "a", in: .forTest(), otherThan: first.generation) { _ in .init(2, freshFor: .seconds(60)) }
        #expect(second.value == 2)
        let third = try await cache.value(for: "a", in: .forTest(), otherThan: first.generation) { _ in .init(3, freshFor: .seconds(60)) }
        #expect(third.value == 2)
    }
}
