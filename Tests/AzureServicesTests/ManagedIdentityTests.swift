import AzureServices
import BrokerCore
import BrokerTestKit
import HTTPTransport
import Testing

@Suite("Managed identity (IMDS)") struct ManagedIdentityTests {
    @Test("asks the metadata address, with the header, without a proxy or a bearer") func requestShape() async throws {
        let fixture = try IdentityFixture(script: [.success(metadataToken())])
        #expect(try await fixture.token() == canary)
        let request = try #require(fixture.transport.requests.first)
        #expect(request.target == .metadata(host: "169.254.169.254", port: 80))
        #expect(request.path == "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net")
        #expect(request.method == .get)
        #expect(request.headers.map { "\($0.name): \($0.value)" } == ["Metadata: true"])
        #expect(request.bearer == nil)
        #expect(request.body == nil)
        #expect(!fixture.log.lines.joined().contains(canary))
    }

    @Test(
        "names one of several identities, escaped",
        arguments: [
            (AzureIdentityOptions(clientID: "a&b=c d"), "&client_id=a%26b%3Dc%20d"),
            (AzureIdentityOptions(clientID: "1b-2"), "&client_id=1b-2"), (AzureIdentityOptions(objectID: "o-1"), "&object_id=o-1"),
            (AzureIdentityOptions(resourceID: "/subscriptions/x"), "&msi_res_id=%2Fsubscriptions%2Fx"),
        ]) func selectors(options: AzureIdentityOptions, query: String) async throws
    {
        guard !(options.clientID?.contains(" ") ?? false) else {
            #expect(throws: BrokerError.self) { try IdentityFixture(options, script: []) }
            return
        }
        let fixture = try IdentityFixture(options, script: [.success(metadataToken())])
        _ = try await fixture.token()
        #expect(fixture.transport.requests.first?.path.hasSuffix(query) == true)
    }

    @Test("numbers may be strings or numbers, and expires_on alone is enough") func numberForms() async throws {
        for body in [
            #"{"access_token":"t","expires_in":"3600","token_type":"Bearer"}"#,
            #"{"access_token":"t","expires_in":3600,"token_type":"bearer"}"#, #"{"access_token":"t","expires_on":"1767229200"}"#,
            #"{"access_token":"t","expires_on":1767229200,"expires_in":null}"#,
            #"{"access_token":"t","expires_in":3600,"expires_on":"1767229200"}"#,
        ] {
            let fixture = try IdentityFixture(script: [.success(answer(200, body)), .success(metadataToken("next"))])
            #expect(try await fixture.token() == "t")
            fixture.clock.advance(by: 2879)
            #expect(try await fixture.token() == "t", "80 % of 3600 s is 2880 s: \(body)")
            fixture.clock.advance(by: 1)
            #expect(try await fixture.token() == "next", "\(body)")
        }
    }

    @Test(
        "an unusable answer is refused, and the token in it is not shown",
        arguments: [
            #"{"access_token":"canary-access-token"}"#, #"{"access_token":"canary-access-token","expires_in":"-5"}"#,
            #"{"access_token":"canary-access-token","expires_in":0}"#, #"{"access_token":"canary-access-token","expires_on":"1767225600"}"#,
            #"{"access_token":"canary-access-token","expires_in":"86399","expires_on":"17"}"#,
            #"{"access_token":"canary-access-token","expires_in":"soon"}"#, #"{"access_token":"canary-access-token","expires_in":1.5}"#,
            #"{"access_token":"canary-access-token","expires_in":"3600","token_type":"PoP"}"#,
            #"{"access_token":"canary-access-token\r\nX: y","expires_in":"3600"}"#, #"{"access_token":"","expires_in":"3600"}"#,
            #"{"access_token":17,"expires_in":"3600"}"#, #"{"access_token":"a","access_token":"canary-access-token","expires_in":"3600"}"#,
            #"{"expires_in":"3600"}"#, #"["canary-access-token"]"#, "<html>canary-access-token</html>", "",
            #"{"access_token":"\#(String(repeating: "a", count: 100 * 1024))","expires_in":"3600"}"#,
        ]) func unusable(body: String) async throws
    {
        let fixture = try IdentityFixture(script: [.success(answer(200, body))])
        let error = try #require(await fixture.failure())
        #expect(error.code == .upstreamInvalid)
        #expect(error.stage == .identity)
        let shown = "\(error) \(error.upstream?.body ?? "")"
        #expect(!shown.contains(canary))
        #expect(!fixture.log.lines.joined().contains(canary))
    }

    @Test("an absurd lifetime does not keep a token for years") func absurdLifetime() async throws {
        let body = #"{"access_token":"t","expires_in":9223372036854775807}"#
        let fixture = try IdentityFixture(script: [.success(answer(200, body)), .success(metadataToken("next"))])
        #expect(try await fixture.token() == "t")
        fixture.clock.advance(by: 7 * 86_400)
        #expect(try await fixture.token() == "next")
    }

    @Test("waits out an update of the metadata service: 75 s in all") func updating() async throws {
        let gone = Result<HTTPResponse, HTTPTransportError>.success(answer(410))
        let fixture = try IdentityFixture(script: Array(repeating: gone, count: 5) + [.success(metadataToken())])
        #expect(try await fixture.token() == canary)
        #expect(fixture.sleep.durations == [.seconds(5), .seconds(10), .seconds(20), .seconds(40)])
        #expect(fixture.transport.requests.count == 6)
    }

    @Test("does not begin a wait that the request's deadline forbids, and says how long it would be") func deadline() async throws {
        let gone = Result<HTTPResponse, HTTPTransportError>.success(answer(410))
        let long = Result<HTTPResponse, HTTPTransportError>.success(answer(410, headers: [("retry-after", "3000")]))
        let fixture = try IdentityFixture(script: [gone, gone, long, .success(metadataToken())])
        let error = try #require(await fixture.failure(timeout: .seconds(2000)))
        #expect(error.code == .upstreamUnavailable)
        #expect(error.retryAfter == .seconds(3000))
        #expect(error.upstream?.status == 410)
        #expect(fixture.sleep.durations == [.seconds(5)])
        #expect(fixture.transport.requests.count == 3)
    }

    @Test("tries again after 404, 429, 5xx and time-outs, and waits as long as it is told to") func transient() async throws {
        let fixture = try IdentityFixture(script: [
            .success(answer(404)), .success(answer(429, headers: [("retry-after", "9")])), .success(answer(500)),
            .failure(.deadlineExceeded), .success(metadataToken()),
        ])
        #expect(try await fixture.token() == canary)
        #expect(fixture.sleep.durations == [.seconds(2), .seconds(9), .seconds(8), .seconds(16)])
    }

    @Test(
        "gives up after the schedule",
        arguments: [(404, BrokerError.Code.upstreamUnavailable), (429, .upstreamThrottled), (503, .upstreamUnavailable)]) func exhausted(
            status: Int, code: BrokerError.Code
        ) async throws
    {
        let fixture = try IdentityFixture(transport: ScriptedTransport { _ in answer(status, headers: [("retry-after", "1")]) })
        let error = try #require(await fixture.failure())
        #expect(error.code == code)
        #expect(error.isRetryable)
        #expect(error.retryAfter == .seconds(1))
        #expect(fixture.transport.requests.count == 5)
    }

    @Test("soon says that nobody listens") func unreachable() async throws {
        let fixture = try IdentityFixture(
            transport: ScriptedTransport { _ throws(HTTPTransportError) in throw .connectionFailed(reason: "refused") })
        let error = try #require(await fixture.failure())
        #expect(error.code == .upstreamUnavailable)
        #expect(error.message.contains("169.254.169.254:80"))
        #expect(fixture.sleep.durations == [.seconds(1), .seconds(4)])
    }

    @Test(
        "a refusal is not repeated and is told in words",
        arguments: [
            (400, #"{"error":"invalid_request","error_description":"Identity not found"}"#, "Identity not found"),
            (400, #"{"error":"invalid_resource","error_description":"AADSTS500011: unknown"}"#, "does not know https://vault.azure.net"),
            (400, "<html>", "identity.client-id"), (401, #"{"error":"access_denied"}"#, "access_denied"),
            (403, "connecting to 169.254.169.254:80: unreachable", "no metadata service here"),
        ]) func refused(status: Int, body: String, words: String) async throws
    {
        let fixture = try IdentityFixture(script: [.success(answer(status, body))])
        let error = try #require(await fixture.failure())
        #expect(error.code == .identityFailed)
        #expect(error.stage == .identity)
        #expect(error.message.contains(words), "\(error.message)")
        #expect(error.upstream?.status == status)
        #expect(fixture.transport.requests.count == 1)
        #expect(!error.isRetryable)
    }

    @Test("does not follow a redirect") func redirect() async throws {
        let fixture = try IdentityFixture(script: [.success(answer(302, headers: [("location", "http://evil/")]))])
        #expect(await fixture.failure()?.code == .upstreamInvalid)
        #expect(fixture.transport.requests.count == 1)
    }

    @Test("an answer of another size or form is refused without a second try") func badTransport() async throws {
        for failure in [HTTPTransportError.responseTooLarge(limit: 1), .invalidResponse(reason: "x")] {
            let fixture = try IdentityFixture(script: [.failure(failure)])
            #expect(await fixture.failure()?.code == .upstreamInvalid)
        }
    }
}
