import BrokerCore
import HTTPTransport
import Synchronization
import Testing

@testable import BrokerEngine

/// One service with trouble.
struct TroubledUpstreams: UpstreamReporting {
    let host: String
    var state = UpstreamState.State.open

    var upstreamStates: [UpstreamState] { (try? Endpoint(host)).flatMap { upstreamState(of: .service($0)) }.map { [$0] } ?? [] }

    func upstreamState(of target: HTTPRequest.Target) -> UpstreamState? {
        guard case .service(let endpoint) = target, endpoint.host == host else { return nil }
        return UpstreamState(target: target, purpose: .attestation, state: state, reason: nil, retryAfter: nil)
    }
}

@Suite("Another authority", .timeLimit(.minutes(2))) struct FailoverTests {
    private final class Asked: Sendable {
        let hosts = Mutex<[String]>([])
    }

    private let asked = Asked()

    /// `one` is away with that code, `two` is there; the store takes tokens of those that `admits` names.
    private func subject(_ code: BrokerError.Code = .upstreamUnavailable, admits: [String] = ["one", "two"]) throws -> EngineUnderTest {
        var subject = try EngineUnderTest()
        subject.alternateAuthorities = ["two.attest.example"]
        let asked = asked
        subject.token = { runtime, authority throws(BrokerError) in
            asked.hosts.withLock { $0.append(authority.host) }
            guard authority.host == "two.attest.example" else { throw BrokerError(code, at: .verify, "away", retryAfter: .seconds(3)) }
            return try Honest.token(runtime, authority)
        }
        let honest = subject.wrapped
        subject.wrapped = { reference, token throws(BrokerError) in
            guard admits.contains(where: { token.authority.host.hasPrefix($0 + ".") }) else {
                throw BrokerError(.releaseDenied, at: .release, "the policy names another authority")
            }
            return try await honest(reference, token)
        }
        return subject
    }

    @Test(
        "takes the place of one that cannot be asked",
        arguments: [BrokerError.Code.upstreamUnavailable, .upstreamThrottled, .deadlineExceeded])
    func failover(code: BrokerError.Code) async throws {
        #expect(try await subject(code).failure() == nil)
        #expect(asked.hosts.withLock { $0 } == ["one.attest.example", "two.attest.example"])
    }

    @Test(
        "does not where the first said no, or the request named it", arguments: [BrokerError.Code.verificationRejected, .upstreamInvalid])
    func noFailover(code: BrokerError.Code) async throws {
        #expect(try await subject(code).failure()?.code == code)
        #expect(try await subject().failure(authority: "one.attest.example")?.code == .upstreamUnavailable)
        #expect(asked.hosts.withLock { $0 } == ["one.attest.example", "one.attest.example"])
    }

    @Test("a key whose policy admits only the first fails as without the others, and is remembered") func notAdmitted() async throws {
        let engine = try subject(admits: ["one"]).engine()
        let request = ReleaseRequest(key: try #require(KeyName("k")))
        for _ in 0..<2 {
            let error = await failure(of: request, by: engine)
            #expect(error?.code == .upstreamUnavailable && error?.retryAfter == .seconds(3))
        }
        #expect(asked.hosts.withLock { $0 } == ["one.attest.example", "two.attest.example", "one.attest.example"])
    }

    @Test("is asked first while the first is known to fail, and the first when the alternate does not open the key") func order()
        async throws
    {
        let upstreams = TroubledUpstreams(host: "one.attest.example")
        let request = ReleaseRequest(key: try #require(KeyName("k")))
        #expect(await failure(of: request, by: try subject().engine(upstreams: upstreams)) == nil)
        #expect(asked.hosts.withLock { $0 } == ["two.attest.example"])
        let error = await failure(of: request, by: try subject(admits: ["one"]).engine(upstreams: upstreams))
        #expect(error?.code == .upstreamUnavailable)
        let throttled = TroubledUpstreams(host: "one.attest.example", state: .throttled)
        #expect(try subject().engine(upstreams: throttled).releaseAuthorities(nil).first?.host == "one.attest.example")
    }
}
