import BrokerCore
import HTTPTransport
import PlainText
import SNPFixture
import SNPReport
import BrokerTestKit
import Logging
import Issuing
import Synchronization
import OpenSSLCrypto
import SNPVerification
import Testing
import Waiting

@testable import LocalVerifier

/// Revocation lists out of AMD's service: fetched once, kept, and not asked for while the service does not want it.
@Suite("Fetched revocation lists") struct RevocationListsTests {
    private static func world(_ mode: String = "required") throws -> LocalWorld {
        var world = try LocalWorld()
        world.settings["crl-check"] = .string(mode)
        return world
    }

    private static func judge(_ judge: LocalJudge, _ world: LocalWorld) async throws -> Judgement {
        let context = RequestContext(id: "test", deadline: .after(.seconds(600)), logger: world.log.logger())
        return try await judge.judgement(of: world.evidence(LocalWorld.data.reportData), runtimeData: LocalWorld.data, in: context)
    }

    @Test("a list is fetched once for all who want it, from the product's place") func once() async throws {
        let world = try Self.world()
        let judge = try world.judge()
        for _ in 0..<3 { #expect(try await Self.judge(judge, world).verdict == .verified) }
        #expect(world.service.state.withLock { $0.paths } == ["/vcek/v1/Milan/crl"])
    }

    @Test("a revoked intermediate is refused") func revoked() async throws {
        let world = try Self.world()
        world.service.set(200, try world.authority.revocationList(revokingIntermediate: true, now: LocalWorld.now))
        #expect(try await Self.judge(world.judge(), world).checks.failures == ["certificate-revoked"])
    }

    @Test(
        "what the service answers instead of a list is named, and it is left alone for ten minutes and longer",
        arguments: [
            (404, nil), (429, nil), (429, "30"), (429, "1200"), (503, nil), (200, "garbage"),
        ] as [(Int, String?)]) func backOff(status: Int, retryAfter: String?) async throws
    {
        let world = try Self.world()
        let good = try world.authority.revocationList(now: LocalWorld.now)
        if status == 200 { world.service.set(200, [1, 2, 3]) } else { world.service.set(status, retryAfter: retryAfter) }
        let judge = try world.judge()
        let first = try await Self.judge(judge, world)
        #expect(first.checks.failures == ["crl-missing"])
        let detail = first.checks.first { $0.code == "crl-missing" }?.detail ?? ""
        #expect(detail.contains(status == 200 ? "no revocation list" : status == 429 ? "429" : "\(status)"), "\(detail)")
        let wait = max(600, retryAfter.flatMap { Int64($0) } ?? 0)
        world.clock.advance(by: wait - 1)
        for _ in 0..<5 { _ = try await Self.judge(judge, world) }
        #expect(world.service.count == 1)
        world.service.set(200, good)
        world.clock.advance(by: 1)
        #expect(try await Self.judge(judge, world).verdict == .verified)
        #expect(world.service.count == 2)
    }

    @Test("a service that fails on and on is asked ever less often") func growingDelay() async throws {
        let world = try Self.world("stale-ok")
        world.service.set(429)
        let judge = try world.judge()
        // Twelve hours, a judgement each minute.
        for _ in 0..<720 {
            _ = try await Self.judge(judge, world)
            world.clock.advance(by: 60)
        }
        #expect((5...8).contains(world.service.count), "\(world.service.count)")
    }

    @Test("a list that another key signed is not taken over a good one") func foreign() async throws {
        let world = try Self.world()
        let judge = try world.judge()
        #expect(try await Self.judge(judge, world).verdict == .verified)
        world.clock.advance(by: RevocationLists.renewal)
        world.service.set(200, [0x30, 0])
        #expect(try await Self.judge(judge, world).verdict == .verified, "what is in force stays")
    }

    @Test("when the service is down the kept list serves, and then, where that is allowed, for a time after its end") func stale()
        async throws
    {
        let world = try Self.world("stale-ok")
        let judge = try world.judge()
        #expect(try await Self.judge(judge, world).verdict == .verified)
        world.service.set(503)
        world.clock.advance(by: 48 * 86_400 + 1)
        let late = try await Self.judge(judge, world)
        #expect(late.verdict == .limited && late.leftOut.map(\.code) == ["crl-stale"])
        world.clock.advance(by: 30 * 86_400)
        #expect(try await Self.judge(judge, world).checks.failures == ["crl-stale"])
        let strict = try Self.world()
        let strictJudge = try strict.judge()
        #expect(try await Self.judge(strictJudge, strict).verdict == .verified)
        strict.service.set(503)
        strict.clock.advance(by: 48 * 86_400 + 1)
        #expect(try await Self.judge(strictJudge, strict).checks.failures == ["crl-stale"])
    }

    @Test("a list outlives a restart on disk") func disk() async throws {
        let directory = try TemporaryLists()
        var world = try Self.world()
        world.settings["crl-directory"] = .string(directory.path)
        #expect(try await Self.judge(world.judge(), world).verdict == .verified)
        world.service.set(503)
        #expect(try await Self.judge(world.judge(), world).verdict == .verified)
        // What is there and is no list of this root is no list.
        try directory.write([1, 2, 3], to: "crl-Milan.der")
        #expect(try await Self.judge(world.judge(), world).checks.failures == ["crl-missing"])
    }

    @Test("a file takes the service's place") func file() async throws {
        let directory = try TemporaryLists()
        var world = try Self.world()
        try directory.write(try world.authority.revocationList(now: LocalWorld.now), to: "list.der")
        world.settings["crl-file"] = .list(["\(directory.path)/list.der"])
        #expect(try await Self.judge(world.judge(), world).verdict == .verified)
        world.settings["crl-file"] = .list(["\(directory.path)/none.der"])
        #expect(try await Self.judge(world.judge(), world).checks.failures == ["crl-malformed"])
        #expect(world.service.count == 0)
    }
}
