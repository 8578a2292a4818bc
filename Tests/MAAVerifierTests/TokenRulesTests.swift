import BrokerCore
import BrokerTestKit
import HTTPTransport
import OpenSSLCrypto
import StrictJSON
import Testing

@testable import MAAVerifier

@Suite("Which tokens maa believes") struct TokenRulesTests {
    private let data = RuntimeData(Array("opaque".utf8))
    private let now = ManualClock().now()

    /// What happens to a token with these changes to good claims; `nil` where it is believed.
    private func outcome(
        settings: [String: RawSetting] = [:], header: JSONObject? = nil, _ change: @escaping @Sendable (inout JSONObject, String) -> Void
    ) async throws -> BrokerError? {
        let evidence = try SampleEvidence.evidence(for: data)
        let now = now
        let crafted = try CraftedAuthority(settings: settings, header: header) { nonce in
            var claims = opaqueClaims(evidence, now: now)
            change(&claims, nonce)
            return claims
        }
        return await crafted.failure(evidence, data)
    }

    @Test("a minute of difference between clocks is tolerated, and no more") func skew() async throws {
        let now = now
        #expect(try await outcome { claims, _ in claims.set("exp", .integer(now - 59)) } == nil)
        #expect(try await outcome { claims, _ in claims.set("exp", .integer(now - 60)) }?.code == .upstreamInvalid)
        #expect(try await outcome { claims, _ in claims.set("nbf", .integer(now + 60)) } == nil)
        #expect(try await outcome { claims, _ in claims.set("nbf", .integer(now + 61)) }?.code == .upstreamInvalid)
        let strict: [String: RawSetting] = ["clock-skew": .string("0s")]
        #expect(try await outcome(settings: strict) { claims, _ in claims.set("exp", .integer(now)) } != nil)
        #expect(try await outcome(settings: strict) { claims, _ in claims.set("exp", .integer(now + 1)) } == nil)
    }

    @Test("absurd times are refused without a crash") func absurdTimes() async throws {
        #expect(try await outcome { claims, _ in claims.set("exp", .integer(.max)) } == nil)
        #expect(try await outcome { claims, _ in claims.set("exp", .integer(.min)) }?.code == .upstreamInvalid)
        #expect(try await outcome { claims, _ in claims.set("nbf", .integer(.max)) }?.code == .upstreamInvalid)
        #expect(try await outcome { claims, _ in claims.set("exp", .real(1e300)) }?.code == .upstreamInvalid)
        #expect(try await outcome { claims, _ in claims.set("exp", nil) }?.code == .upstreamInvalid)
    }

    @Test("a nonce may be missing unless it is required; one that is there must be ours") func nonce() async throws {
        let required: [String: RawSetting] = ["require-nonce": .boolean(true)]
        #expect(try await outcome { _, _ in } == nil)
        #expect(try await outcome(settings: required) { _, _ in }?.code == .upstreamInvalid)
        #expect(try await outcome(settings: required) { claims, nonce in claims.set("nonce", .string(nonce)) } == nil)
        #expect(try await outcome { claims, nonce in claims.set("nonce", .string(nonce + " ")) } != nil)
    }

    @Test("opaque runtime data needs the claim that binds it") func opaqueBinding() async throws {
        let error = try await outcome { claims, _ in claims.remove("x-ms-sevsnpvm-reportdata") }
        #expect(error?.code == .upstreamInvalid)
        #expect(error?.message.contains("x-ms-sevsnpvm-reportdata") == true)
    }

    @Test("a token about another machine is refused", arguments: ["x-ms-sevsnpvm-hostdata", "x-ms-sevsnpvm-launchmeasurement"])
    func otherMachine(claim: String) async throws {
        let error = try await outcome { claims, _ in claims.set(claim, .string(String(repeating: "ab", count: 32))) }
        #expect(error?.code == .upstreamInvalid)
    }

    @Test("the token of a debuggable guest is left to the release policy unless the operator refuses it") func debuggable() async throws {
        #expect(try await outcome { claims, _ in claims.set("x-ms-sevsnpvm-is-debuggable", true) } == nil)
        #expect(
            try await outcome(settings: ["refuse-debug": .boolean(true)]) { claims, _ in claims.set("x-ms-sevsnpvm-is-debuggable", true) }?
                .code == .verificationRejected)
        #expect(try await outcome { claims, _ in claims.set("x-ms-sevsnpvm-is-debuggable", "false") }?.code == .upstreamInvalid)
    }

    @Test(
        "an issuer must be the origin that was asked, to the letter",
        arguments: [
            "https://\(authorityName)/", "http://\(authorityName)", authorityName, "https://\(authorityName):443",
            "https://SHAREDEUS2.eus2.attest.azure.net", "https://\(authorityName).evil", "",
        ]) func issuer(text: String) async throws
    { #expect(try await outcome { claims, _ in claims.set("iss", .string(text)) }?.code == .upstreamInvalid) }

    @Test(
        "the header's algorithm is pinned, whatever was really used",
        arguments: ["none", "None", "NONE", "HS256", "rs256", "PS256", "RS384", "ES256", ""]) func algorithm(name: String) async throws
    {
        let error = try await outcome(header: ["alg": .string(name), "kid": "k1"]) { _, _ in }
        #expect(error?.code == .upstreamInvalid)
    }

    @Test("a header that asks for more than a signature is refused") func criticalHeader() async throws {
        #expect(try await outcome(header: ["alg": "RS256", "kid": "k1", "crit": ["exp"], "exp": 1]) { _, _ in } != nil)
        #expect(try await outcome(header: ["alg": "RS256", "kid": "k1", "b64": false, "crit": ["b64"]]) { _, _ in } != nil)
        #expect(try await outcome(header: ["alg": "RS256", "kid": 1]) { _, _ in } != nil)
    }

    @Test("the service's words are in the error") func words() async throws {
        let error = try #require(await MAAFixture(.badRequest).failure())
        #expect(error.message.contains("PolicyEvaluationError: a deny claim was issued"))
        #expect(error.upstream?.status == 400)
        #expect(error.upstream?.body.contains("a deny claim was issued") == true)
    }
}
