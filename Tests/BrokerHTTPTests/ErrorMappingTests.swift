import BrokerConfiguration
import BrokerCore
import HTTPTransport
import StrictJSON
import Testing

@testable import BrokerHTTP

/// From `BrokerError` to statuses, texts and header fields.
struct ErrorMappingTests {
    static let routes: [(path: String, body: String)] = [
        ("/attest/raw", #"{"runtime_data":"aGVsbG8="}"#), ("/attest/combined", #"{"runtime_data":"aGVsbG8="}"#),
        ("/attest/maa", #"{"runtime_data":"aGVsbG8=","maa_endpoint":"demo.attest.azure.net"}"#), ("/key/release", #"{"kid":"k2"}"#),
    ]

    /// Architecture.md, "Errors and statuses".
    static let statuses: [BrokerError.Code: (compatible: Int, precise: Int)] = [
        .invalidRequest: (400, 400), .noProvider: (403, 422), .evidenceUnavailable: (403, 503), .endorsementMismatch: (403, 503),
        .verificationRejected: (403, 403), .identityFailed: (403, 502), .releaseDenied: (403, 403), .keyNotFound: (403, 404),
        .upstreamUnavailable: (403, 503), .upstreamThrottled: (403, 429), .overloaded: (429, 429), .upstreamInvalid: (403, 502),
        .callerRefused: (403, 403), .auditUnavailable: (503, 503), .deadlineExceeded: (403, 504), .unwrapFailed: (403, 502),
        .misconfigured: (500, 500), .internal: (500, 500),
    ]

    @Test(arguments: BrokerError.Code.allCases) func everyCodeHasItsStatusOnEveryRoute(_ code: BrokerError.Code) async throws {
        let wanted = try #require(Self.statuses[code])
        for profile in ResponseProfile.allCases {
            let error = BrokerError(code, at: .release, "what happened")
            try await TestServer.run(ScriptedEngine(failing: error), options: TestServer.options { $0.profile = profile }) { server in
                for route in Self.routes {
                    let answer = try await server.post(route.path, route.body)
                    #expect(answer.status == (profile == .compatible ? wanted.compatible : wanted.precise))
                    let document = try JSONCursor.parse(answer.body)
                    #expect(try document.string("code") == code.rawValue)
                    #expect(try document.string("stage") == "release")
                    #expect(try document.boolean("retryable") == error.isRetryable)
                    #expect(answer.header("content-type") == "application/json; charset=utf-8")
                    let text = try document.string("error")
                    #expect(profile == .precise ? text == "what happened" : text.hasSuffix("what happened"))
                }
            }
        }
    }

    @Test(arguments: BrokerError.Stage.allCases) func everyStageHasAText(_ stage: BrokerError.Stage) throws {
        let key = try #require(KeyName("k2"))
        for code in BrokerError.Code.allCases {
            for upstream in [nil, BrokerError.Upstream(status: 503, body: Array("busy".utf8))] {
                let error = BrokerError(code, at: stage, "ours", upstream: upstream)
                for question in [CompatibleText.Question.evidence, .token(namesAuthority: true), .release(key)] {
                    let text = CompatibleText.text(for: error, to: question)
                    #expect(text.contains("ours") || text.contains("busy: http response status equal to 503 Service Unavailable"))
                }
            }
        }
    }

    @Test(arguments: [(Duration.seconds(7), "7"), (.milliseconds(1500), "2"), (.zero, "0"), (.milliseconds(1), "1")])
    func retryAfterIsPassedOn(_ delay: Duration, _ field: String) async throws {
        let error = BrokerError(.upstreamThrottled, at: .release, "slow down", retryAfter: delay)
        let answer = try await TestServer.run(ScriptedEngine(failing: error)) { try await $0.post("/key/release", #"{"kid":"k"}"#) }
        #expect(answer.header("retry-after") == field)
        #expect(try JSONCursor.parse(answer.body).boolean("retryable"))
    }

    @Test func theCauseIsForTheLogOnly() async throws {
        struct Cause: Error, CustomStringConvertible { let description = "inner-canary" }
        let error = BrokerError(.internal, at: .release, "outer", cause: Cause())
        let answer = try await TestServer.run(ScriptedEngine(failing: error)) { try await $0.post("/key/release", #"{"kid":"k"}"#) }
        #expect(!answer.text.contains("canary"))
    }

    @Test func detailsAreAMemberOfTheAnswer() async throws {
        let clause = BrokerError.Details.Clause(
            claim: "c", comparison: "equals", wanted: "a\"b", actual: nil, isSatisfied: false, reason: "missing-claim")
        let inner = BrokerError.Details.Group(join: "anyOf", isSatisfied: false, conditions: [.clause(clause)])
        let details = BrokerError.Details(
            cause: "policy-not-satisfied", summary: "one line",
            authorities: [
                .init(
                    authority: "https://a", issuer: "https://b", match: "not-an-authority", isSatisfied: false,
                    conditions: .init(join: "allOf", isSatisfied: false, conditions: [.group(inner)]))
            ], nextSteps: ["do this"])
        let error = BrokerError(.releaseDenied, at: .release, "no", details: details)
        for profile in ResponseProfile.allCases {
            let answer = try await TestServer.run(ScriptedEngine(failing: error), options: TestServer.options { $0.profile = profile }) {
                try await $0.post("/key/release", #"{"kid":"k"}"#)
            }
            let found = try JSONCursor.parse(answer.body).member("details")
            let clause = #"{"claim":"c","operator":"equals","wanted":"a\"b","actual":null,"satisfied":false,"reason":"missing-claim"}"#
            let wanted =
                #"{"cause":"policy-not-satisfied","summary":"one line","authorities":[{"authority":"https://a","#
                + #""issuer":"https://b","match":"not-an-authority","satisfied":false,"conditions":{"join":"allOf","#
                + #""satisfied":false,"conditions":[{"join":"anyOf","satisfied":false,"conditions":[\#(clause)]}]}}],"#
                + #""next_steps":["do this"]}"#
            #expect(String(decoding: found.value.serialized(), as: UTF8.self) == wanted)
        }
        let without = try await TestServer.run(ScriptedEngine(failing: error.explained(by: nil))) {
            try await $0.post("/key/release", #"{"kid":"k"}"#)
        }
        #expect(try JSONCursor.parse(without.body).optional("details") == nil)
    }

    @Test func identityAndEvidenceErrorsNameTheirStep() throws {
        let key = try #require(KeyName("k2"))
        let identity = BrokerError(.identityFailed, at: .identity, "no token")
        #expect(
            CompatibleText.text(for: identity, to: .release(key))
                == "secure key release failed: retrieving authentication token failed: no token")
        let evidence = BrokerError(.evidenceUnavailable, at: .evidence, "no device")
        #expect(
            CompatibleText.text(for: evidence, to: .release(key))
                == "secure key release failed: attestation failed: failed to retrieve attestation report: no device")
        #expect(CompatibleText.text(for: evidence, to: .evidence) == "attestation failed: failed to retrieve attestation report: no device")
    }

    @Test func readinessSaysWhatIsMissing() async throws {
        var script = ScriptedEngine.Script()
        script.provenance = .fixture
        let ready = try await TestServer.run(ScriptedEngine(script)) { try await $0.ask(request("GET", "/readyz")) }
        #expect(ready.status == 200)
        #expect(ready.text == #"{"ready":true,"reasons":[],"evidence":"fixture"}"#)
        script.obstacles = ["snp: no device", "maa: \"x\""]
        let not = try await TestServer.run(ScriptedEngine(script)) { try await $0.ask(request("GET", "/readyz")) }
        #expect(not.status == 503)
        #expect(not.text == #"{"ready":false,"reasons":["snp: no device","maa: \"x\""],"evidence":"fixture"}"#)
        script.obstacles = []
        script.upstreams = [
            UpstreamState(
                target: .service(try Endpoint("contoso.managedhsm.azure.net")), purpose: .keyStore, state: .throttled, reason: nil,
                retryAfter: .milliseconds(1500))
        ]
        let throttled = try await TestServer.run(ScriptedEngine(script)) { try await $0.ask(request("GET", "/readyz")) }
        #expect(throttled.status == 200)
        let upstream = #"{"name":"contoso.managedhsm.azure.net","purpose":"key_store","state":"throttled","retry_after":2}"#
        #expect(throttled.text == #"{"ready":true,"reasons":[],"evidence":"fixture","upstreams":[\#(upstream)]}"#)
        let live = try await TestServer.run { try await $0.ask(request("GET", "/livez")) }
        #expect(live.status == 200)
    }

    @Test func fixtureEvidenceSaysSoInAHeaderField() async throws {
        var script = ScriptedEngine.Script()
        script.provenance = .fixture
        script.evidence = Evidence(report: [UInt8](repeating: 1, count: 1184), endorsements: [[1]], endorsedTCB: "00", provenance: .fixture)
        try await TestServer.run(ScriptedEngine(script)) { server in
            for route in Self.routes {
                let answer = try await server.post(route.path, route.body)
                #expect(answer.status == 200)
                #expect(answer.header("x-evidence-provenance") == "fixture")
            }
            let status = try await server.ask(request("GET", "/status"))
            #expect(status.text == #"{"message":"Status OK","evidence":"fixture"}"#)
        }
        let hardware = try await TestServer.run { try await $0.post("/attest/raw", #"{"runtime_data":"aGVsbG8="}"#) }
        #expect(hardware.header("x-evidence-provenance") == nil)
    }
}
