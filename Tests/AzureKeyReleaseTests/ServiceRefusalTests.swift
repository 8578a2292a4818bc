import BrokerCore
import BrokerTestKit
import HTTPTransport
import Testing

@testable import AzureKeyRelease

@Suite("Error answers of a key store") struct ServiceRefusalTests {
    private func refusal(_ status: Int, _ body: String = "", headers: [(name: String, value: String)] = []) throws -> BrokerError {
        let key = KeyReference(store: try Endpoint("contoso.vault.azure.net"), name: try #require(KeyName("k1")))
        return ServiceRefusal(HTTPResponse(status: status, headers: headers, body: Array(body.utf8)), key: key).error
    }

    private func document(_ code: String, _ message: String, inner: String? = nil) -> String {
        let tail = inner.map { #","innererror":{"code":"\#($0)"}"# } ?? ""
        return #"{"error":{"code":"\#(code)","message":"\#(message)"\#(tail)}}"#
    }

    @Test(
        "status to code",
        arguments: [
            (400, BrokerError.Code.invalidRequest), (401, .identityFailed), (403, .releaseDenied), (404, .keyNotFound),
            (408, .upstreamUnavailable), (409, .releaseDenied), (429, .upstreamThrottled), (500, .upstreamUnavailable),
            (502, .upstreamUnavailable), (503, .upstreamUnavailable), (599, .upstreamUnavailable), (301, .upstreamInvalid),
            (307, .upstreamInvalid), (204, .upstreamInvalid), (418, .upstreamInvalid), (100, .upstreamInvalid), (0, .upstreamInvalid),
        ]) func codes(status: Int, code: BrokerError.Code) throws
    {
        for body in ["", "<html>", "null", #"{"error":null}"#, #"{"error":{"code":1,"message":[]}}"#, "{\"error\":"] {
            let error = try refusal(status, body)
            #expect(error.code == code)
            #expect(error.stage == (status == 401 ? .identity : .release))
            #expect(error.upstream?.status == status)
        }
    }

    @Test("the service's words, and which kind of refusal it is") func words() throws {
        let policy = try refusal(
            403, document("Forbidden", "Target environment attestation does not meet key release policy requirements."))
        #expect(policy.message.contains("does not satisfy the key's release policy"))
        #expect(policy.message.contains("Target environment attestation does not meet key release policy requirements."))
        let role = try refusal(403, document("Forbidden", "Caller is not authorized", inner: "ForbiddenByRbac"))
        #expect(role.message.contains("lacks the release permission"))
        #expect(role.message.contains("Forbidden/ForbiddenByRbac: Caller is not authorized"))
        let network = try refusal(403, document("Forbidden", "Client address is not authorized", inner: "ForbiddenByFirewall"))
        #expect(network.message.contains("network rules"))
        let missing = try refusal(404, document("KeyNotFound", "A key with (name/id) k1 was not found"))
        #expect(missing.message.contains("contoso.vault.azure.net has no key k1"))
    }

    @Test(
        "a 400 about the key is a denial, one about the request is not",
        arguments: [
            ("AKV.SKR.1001: The exportable attribute is only supported with premium vaults", BrokerError.Code.releaseDenied),
            ("AKV.SKR.1099: something new", .releaseDenied), ("Exportable keys must have release policy", .releaseDenied),
            ("Invalid attestation token", .releaseDenied), ("Property 'enc' has an invalid value", .invalidRequest),
            ("The api-version is not supported", .invalidRequest),
        ]) func badParameter(message: String, code: BrokerError.Code) throws
    { #expect(try refusal(400, document("BadParameter", message)).code == code) }

    @Test("a 401 is explained with the challenge") func challenge() throws {
        let error = try refusal(
            401, document("Unauthorized", "AKV10022: Invalid audience."),
            headers: [("www-authenticate", #"Bearer authorization="https://login.windows.net/1234", resource="https://vault.azure.net""#)])
        #expect(error.message.contains("AKV10022: Invalid audience."))
        #expect(error.message.contains("it wants one for https://vault.azure.net issued by https://login.windows.net/1234"))
        #expect(!error.isRetryable)
    }

    @Test("Retry-After is kept, and bounded") func retryAfter() throws {
        #expect(try refusal(429, headers: [("retry-after", "7")]).retryAfter == .seconds(7))
        #expect(try refusal(503, headers: [("retry-after", "99999999")]).retryAfter == .seconds(3600))
        #expect(try refusal(429, headers: [("retry-after", "-1")]).retryAfter == nil)
        #expect(try refusal(429, headers: [("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")]).retryAfter == .zero)
        #expect(try refusal(429, headers: [("retry-after", "31 Dec 1999")]).retryAfter == nil)
    }

    @Test("a long or hostile message is cut and cleaned") func hostile() throws {
        let token = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"
        let error = try refusal(
            403, document("Forbidden", "\\u001b[31m\\r\\nfaked log line \(token) " + String(repeating: "x", count: 5000)))
        #expect(error.message.utf8.count < 2000)
        #expect(!error.message.contains(token))
        #expect(!error.message.contains("\u{1B}"))
        #expect(!error.message.contains("\n"))
        #expect(error.upstream?.body.contains(token) == false)
    }
}

@Suite("WWW-Authenticate: Bearer") struct BearerChallengeTests {
    @Test("parameters, quoted and not") func parameters() {
        let challenge = BearerChallenge(
            #"Bearer authorization="https://a/t", resource=https://vault.azure.net, error="invalid_token", error_description="User session, revoked""#
        )
        #expect(challenge["authorization"] == "https://a/t")
        #expect(challenge["resource"] == "https://vault.azure.net")
        #expect(challenge["error_description"] == "User session, revoked")
        #expect(challenge["claims"] == nil)
    }

    @Test(
        "anything else is empty, not a crash",
        arguments: ["", "Bearer", "Bearer ", "Basic realm=\"x\"", "Bearer =", "Bearer a=\"", "Bearer \"\"\"===", "Bearer a"]) func hostile(
            field: String
        )
    { #expect(BearerChallenge(field)["authorization"] == nil) }

    @Test("a long field is cut") func long() {
        let challenge = BearerChallenge("Bearer " + String(repeating: "a=b,", count: 10_000) + "resource=x")
        #expect(challenge["a"] == "b")
        #expect(challenge["resource"] == nil)
    }
}
