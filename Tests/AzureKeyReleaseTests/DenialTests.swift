import Waiting
import Issuing
import BrokerCore
import BrokerTestKit
import HTTPTransport
import JOSE
import AzureServices
import OpenSSLCrypto
import StrictJSON
import Testing

@testable import AzureKeyRelease

@Suite("Why a store says no") struct DenialTests {
    private static let denial = "Target environment attestation does not meet key release policy requirements."
    private static let issuer = "https://sharedneu.neu.attest.azure.net"

    private func policy(_ authority: String = issuer, hostData: String = "aa") -> JSONValue {
        [
            "version": "1.0.0",
            "anyOf": [
                [
                    "authority": .string(authority),
                    "allOf": [
                        ["claim": "x-ms-attestation-type", "equals": "sevsnpvm"],
                        ["claim": "x-ms-sevsnpvm-hostdata", "equals": .string(hostData)],
                    ],
                ]
            ],
        ]
    }

    private func bundle(_ policy: JSONValue) -> HTTPResponse {
        let body: JSONValue = [
            "key": ["kid": "https://contoso.vault.azure.net/keys/rsa-key/d00a04794ffb49e1a0e088635fc92ef2"],
            "release_policy": ["data": .string(Base64.encodeURL(policy.serialized())), "immutable": false],
        ]
        return HTTPResponse(status: 200, body: body.serialized())
    }

    private func refusal(_ status: Int, _ message: String, inner: String? = nil) -> HTTPResponse {
        var error: JSONObject = ["code": "Forbidden", "message": .string(message)]
        if let inner { error.set("innererror", ["code": .string(inner)]) }
        let body: JSONValue = ["error": .object(error)]
        return HTTPResponse(status: status, body: body.serialized())
    }

    private func token(hostData: JSONValue = "bb") throws -> AttestationToken {
        let claims: JSONValue = [
            "iss": .string(Self.issuer), "exp": 2_000_000_000, "x-ms-attestation-type": "sevsnpvm", "x-ms-sevsnpvm-hostdata": hostData,
            "secret-claim": "canary-claim", "x-ms-runtime": ["keys": [try runtimeKey()]],
        ]
        return try AttestationToken(
            compact: JWSBuilder.unsecured(header: ["alg": "none"], payload: claims.serialized()),
            authority: try Endpoint("sharedneu.neu.attest.azure.net"))
    }

    private func outcome(_ answers: [HTTPResponse], token: AttestationToken? = nil, name: String = "rsa-key") async throws -> (
        error: BrokerError?, requests: [HTTPRequest]
    ) {
        let transport = ScriptedTransport(script: answers.map { .success($0) })
        let fixture = try ReleaseFixture(transport: transport)
        let error = await fixture.failure(name, token: try token ?? self.token())
        return (error, transport.requests)
    }

    @Test("the failing clause with what was wanted and found, read with the same bearer") func clause() async throws {
        let (error, requests) = try await outcome([refusal(403, Self.denial), bundle(policy())])
        #expect(error?.code == .releaseDenied)
        let details = try #require(error?.details)
        #expect(details.cause == "policy-not-satisfied")
        #expect(details.summary.contains("x-ms-sevsnpvm-hostdata"))
        let authority = try #require(details.authorities.first)
        #expect(authority.match == "exact" && !authority.isSatisfied && authority.issuer == Self.issuer)
        #expect(
            authority.conditions.conditions == [
                .clause(
                    .init(
                        claim: "x-ms-attestation-type", comparison: "equals", wanted: "sevsnpvm", actual: "sevsnpvm", isSatisfied: true,
                        reason: "satisfied")),
                .clause(
                    .init(
                        claim: "x-ms-sevsnpvm-hostdata", comparison: "equals", wanted: "aa", actual: "bb", isSatisfied: false,
                        reason: "different-value")),
            ])
        #expect(!details.nextSteps.isEmpty)
        #expect(!"\(details)".contains("canary-claim"), "a claim that the policy does not name")
        #expect(requests.map(\.method) == [.post, .get])
        #expect(requests.last?.path == "/keys/rsa-key?api-version=7.4")
        #expect(requests.last?.bearer == requests.first?.bearer)
        #expect(requests.last?.target == requests.first?.target)
    }

    @Test("an issuer that is not the authority, and a policy that holds after all") func authority() async throws {
        let (slash, _) = try await outcome([
            refusal(403, "Target environment attestation statement cannot be verified."), bundle(policy(Self.issuer + "/", hostData: "bb")),
        ])
        #expect(slash?.details?.cause == "policy-not-satisfied")
        #expect(slash?.details?.authorities.first?.match == "differs-by-trailing-slash")
        let (holds, _) = try await outcome([
            refusal(403, "Target environment attestation statement cannot be verified."), bundle(policy(hostData: "bb")),
        ])
        #expect(holds?.details?.cause == "token-not-verified")
        #expect(holds?.details?.authorities.first?.isSatisfied == true)
    }

    @Test("where the key may not be read, that is said") func unreadable() async throws {
        for status in [401, 403] {
            let (error, _) = try await outcome([refusal(403, Self.denial), refusal(status, "no")])
            #expect(error?.upstream?.status == 403)
            let details = try #require(error?.details)
            #expect(details.authorities.isEmpty)
            #expect(details.summary.contains("may not read the key (permission 'get')"))
            #expect(details.nextSteps.first?.contains("'get'") == true)
        }
        for answer in [
            HTTPResponse(status: 404), HTTPResponse(status: 500), HTTPResponse(status: 200, body: Array("{".utf8)),
            HTTPResponse(status: 200, body: Array("{}".utf8)),
            HTTPResponse(status: 200, body: Array(#"{"release_policy":{"data":"***"}}"#.utf8)),
            HTTPResponse(status: 200, body: Array(#"{"release_policy":{"data":7}}"#.utf8)), bundle(["version": "1.0.0", "anyOf": []]),
        ] {
            let (error, requests) = try await outcome([refusal(403, Self.denial), answer])
            #expect(requests.count == 2)
            #expect(error?.code == .releaseDenied)
            #expect(error?.details?.summary.contains("which clause cannot be said") == true)
        }
        let (cut, _) = try await outcome([refusal(403, Self.denial)])
        #expect(cut?.code == .releaseDenied && cut?.details?.summary.contains("could not be read") == true)
    }

    @Test("a refusal that is not about the policy costs no other request, and is in the catalogue") func others() async throws {
        for (answer, cause) in [
            (refusal(403, "Caller is not authorized", inner: "ForbiddenByRbac"), "release-permission-missing"),
            (refusal(403, "Client address is not authorized", inner: "ForbiddenByFirewall"), "network-rules"),
            (refusal(400, "AKV.SKR.1005: Non-exportable keys must not have release policy."), "akv-skr-1005"),
            (refusal(400, "AKV.SKR.1099: something new"), "akv-skr-other"), (refusal(401, "AKV10022: Invalid audience."), "wrong-audience"),
        ] {
            let (error, requests) = try await outcome([answer, bundle(policy())])
            #expect(error?.details?.cause == cause)
            #expect(error?.details?.nextSteps.isEmpty == false)
            #expect(requests.count == 1)
        }
    }

    @Test("a release that succeeds asks once") func success() async throws {
        let service = ScriptedKeyStore(endpoint: try Endpoint("contoso.vault.azure.net"), signers: try signers.get())
        let fixture = try ReleaseFixture(transport: service)
        _ = try await fixture.release()
        #expect(service.requests.map(\.method) == [.post])
    }

    @Test("a store that is silent about the policy does not cost the caller the answer") func silence() async throws {
        let denied = refusal(403, Self.denial)
        let transport = ScriptedTransport { request throws(HTTPTransportError) in
            if request.method == .post { return denied }
            return try await ScriptedTransport.silence(request)
        }
        let fixture = try ReleaseFixture(transport: transport)
        let reference = try fixture.reference("rsa-key")
        let token = try token()
        let context = RequestContext.forTest(timeout: .seconds(4))
        do {
            _ = try await fixture.store.release(reference, presenting: token, as: .broker, in: context)
            Issue.record("released")
        } catch {
            #expect(error.code == .releaseDenied)
            #expect(error.details?.summary.contains("could not be read") == true)
            let patience = try #require(transport.requests.last?.deadline.instant)
            #expect(patience < context.deadline.instant, "nothing would be left to answer in")
        }
    }

    @Test("texts of policy and token are bounded and cannot deceive") func hostile() async throws {
        let long = String(repeating: "x", count: 5000)
        let (error, _) = try await outcome(
            [refusal(403, Self.denial), bundle(policy(hostData: "\u{1B}[31m\n" + long))],
            token: try token(hostData: .string("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.c2ln\u{202E}")))
        let text = "\(try #require(error?.details))"
        #expect(text.utf8.count < 8000)
        #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}") && !text.contains("eyJhbGci"))
    }

    @Test("a policy with thousands of clauses makes no endless answer") func large() async throws {
        let clause: JSONValue = ["claim": "c", "equals": "v"]
        let entry: JSONValue = ["authority": .string(Self.issuer), "allOf": .array([JSONValue](repeating: clause, count: 3000))]
        let large: JSONValue = ["version": "1.0.0", "anyOf": .array([entry, entry])]
        let (error, _) = try await outcome([refusal(403, Self.denial), bundle(large)])
        let details = try #require(error?.details)
        #expect(details.authorities.reduce(0) { $0 + $1.conditions.conditions.count } <= 200)
        #expect(details.nextSteps.count <= 8)
    }
}

@Suite("The catalogue of known failures") struct KnownFailureTests {
    @Test(
        "each answer is found by its own entry",
        arguments: [
            ("AADSTS70021: No matching federated identity record found", "federated-subject-mismatch"),
            ("AADSTS700213: No matching federated identity record found", "federated-subject-mismatch"),
            ("AADSTS700212: no match for audience", "federated-audience-mismatch"), ("AADSTS7002199: something else", "entra-other"),
            ("PolicyEvaluationError", "attestation-policy-denied"),
            ("akv.skr.1016: Key Release Policy can only be set on versionless key", "akv-skr-1016"), ("AKV.SKR.10160", "akv-skr-other"),
            ("Key Release Policy: missing 'version' property", "policy-without-version"),
        ]) func found(text: String, cause: String)
    { #expect(KnownFailure.find(in: [nil, text])?.cause == cause) }

    @Test("entries have names of their own, signs and advice; an unknown text has none") func table() {
        let causes = KnownFailure.catalogue.map(\.cause)
        #expect(Set(causes).count == causes.count)
        for entry in KnownFailure.catalogue {
            #expect(!entry.signs.isEmpty && !entry.nextSteps.isEmpty, "\(entry.cause)")
            #expect(entry.signs.allSatisfy { !$0.isEmpty })
            for sign in entry.signs {
                #expect(KnownFailure.find(in: [sign], for: entry.action ?? .release)?.cause == entry.cause, "\(sign)")
            }
        }
        #expect(KnownFailure.find(in: ["all is well", nil, ""]) == nil)
        #expect(KnownFailure.find(in: []) == nil)
    }
}
