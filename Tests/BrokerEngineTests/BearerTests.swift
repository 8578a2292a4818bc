import BrokerCore
import BrokerEngine
import BrokerTestKit
import HTTPTransport
import KeyVaultPremium
import OpenSSLCrypto
import SecureMemory
import Testing

@Suite("A bearer token goes to the configured store and nowhere else") struct BearerTests {
    /// Looks like the access tokens of Azure, which are JWTs; the first part is `{"alg":"RS256"`….
    private static let canary = "eyJhbGciOiJSUzI1NiJ9.Y2FuYXJ5LWNhbmFyeS1jYW5hcnk.c2lnbmF0dXJlLWNhbmFyeQ"
    private static let trust = Result { try SigningChain(host: "demo.vault.azure.net") }

    /// The real provider `akv` behind the engine, over a transport that counts.
    private struct Subject {
        let base: EngineUnderTest
        let transport: ScriptedTransport
        let tokens = StaticAccessTokens(BearerTests.canary)
        let engine: BrokerEngine

        init(_ settings: [String: RawSetting] = [:], _ answer: @escaping ScriptedTransport.Answer) throws {
            base = try EngineUnderTest()
            transport = ScriptedTransport(answer)
            let store = try keyVaultPremium.makeForTest(
                settings, host: .forTest(transport: transport, accessTokens: tokens, trust: try trust.get().trust, log: base.log))
            engine = try base.engine(keyStores: [NamedProvider("akv", store)])
        }

        /// What went wrong, and everything that somebody could read about it.
        func failure(_ store: Endpoint?, _ caller: CallerCredential) async throws -> (BrokerError, texts: [String]) {
            let request = ReleaseRequest(key: try #require(KeyName("k")), store: store, caller: caller)
            let error = try #require(await BrokerEngineTests.failure(of: request, by: engine))
            var dumped = ""
            dump(error, to: &dumped)
            dump(request, to: &dumped)
            dump(transport.requests.map { ($0.target, $0.headers, $0.bearer) }, to: &dumped)
            let texts = [
                dumped, "\(error)", String(reflecting: error), error.message, error.upstream?.body ?? "", error.cause.map { "\($0)" } ?? "",
                "\(request)", String(reflecting: request), transport.requests.map { "\($0.path) \($0)" }.joined(),
                transport.requests.map { String(decoding: $0.body ?? [], as: UTF8.self) }.joined(),
            ]
            return (error, texts + base.log.lines)
        }
    }

    private static let callers: [CallerCredential] = [.broker, .bearer(Redacted(canary))]

    private func redirect(_ request: HTTPRequest) -> HTTPResponse {
        HTTPResponse(
            status: 307,
            headers: [
                ("location", "https://evil.example/keys/k/release?bearer=\(request.bearer?.reveal() ?? "")"),
                ("www-authenticate", "Bearer realm=\"\(request.bearer?.reveal() ?? "")\""),
            ], body: Array(#"{"error":{"code":"Moved","message":"\#(request.bearer?.reveal() ?? "")"}}"#.utf8))
    }

    @Test(
        "a foreign endpoint is refused before anybody is asked for anything",
        arguments: [
            "demo.vault.azure.net.evil.example", "x.y.vault.azure.net", "vault.azure.net", "demo.vault.azure.net:8443",
            "demo-vault.azure.net", "demo.vault.azure.net.", "demo.managedhsm.azure.net", "demo.vault.azure.cn",
            "DEMO.VAULT.AZURE.NET.EVIL.EXAMPLE", "evil.example", "localhost.localdomain", "metadata.google.internal",
        ]) func foreign(name: String) async throws
    {
        let subject = try Subject { [self] request throws(HTTPTransportError) in redirect(request) }
        // A trailing dot is no endpoint at all.
        guard let endpoint = try? Endpoint(name) else { return #expect(name.hasSuffix(".")) }
        for caller in Self.callers {
            let (error, texts) = try await subject.failure(endpoint, caller)
            #expect(error.outcome == "noProvider at route")
            #expect(!texts.contains { $0.contains(Self.canary) })
        }
        #expect(subject.transport.requests.isEmpty)
        #expect(subject.tokens.audiences == [])
        #expect(subject.base.calls.count == Calls.Count())
    }

    @Test(
        "what is no endpoint never becomes a request",
        arguments: [
            "10.0.0.1", "127.0.0.1:443", "169.254.169.254", "[::1]", "::1", "0x7f.1", "2130706433", "0x7f000001",
            "user@demo.vault.azure.net", "demo.vault.azure.net@evil.example", "user:pw@demo.vault.azure.net", "demo.vault.azure.net/x?",
            "demo.vault.azure.net?x=", "demo.vault.azure.net#x", "demo.vault.azure.net//", "http://demo.vault.azure.net",
            "https://https://demo.vault.azure.net", "demo.vault.azure.net\\@evil.example", "demo.vault.azure.net\r\nHost: evil.example",
            "demo.vault.azure.net\u{0}.evil.example", "demo.vault.azure.net evil.example", "demo.vau\u{FB02}t.azure.net",
            "demo.vault\u{3002}azure.net", "demo%2evault.azure.net", "*.vault.azure.net", "demo.vault.azure.net:0",
            "demo.vault.azure.net:443:443", "", ".", "demo..vault.azure.net", ".vault.azure.net",
        ]) func noEndpoint(text: String)
    { #expect(throws: Endpoint.Invalid.self) { try Endpoint(text) } }

    @Test("upper case is the same store, asked once, under its lower-case name") func upperCase() async throws {
        let subject = try Subject { [self] request throws(HTTPTransportError) in redirect(request) }
        let (error, _) = try await subject.failure(try Endpoint("HTTPS://Demo.VAULT.Azure.NET:443"), .broker)
        #expect(error.outcome == "upstreamInvalid at release")
        let demo = try Endpoint("demo.vault.azure.net")
        #expect(subject.transport.requests.map(\.target) == [.service(demo)])
        #expect(demo.host == "demo.vault.azure.net")
    }

    @Test("a redirect is one request, no second one, and no key", arguments: [301, 302, 303, 307, 308]) func redirected(status: Int)
        async throws
    {
        let subject = try Subject { [self] request throws(HTTPTransportError) in
            var answer = redirect(request)
            answer.status = status
            return answer
        }
        let demo = try Endpoint("demo.vault.azure.net")
        for (index, caller) in Self.callers.enumerated() {
            let (error, texts) = try await subject.failure(demo, caller)
            #expect(error.outcome == "upstreamInvalid at release")
            #expect(error.message.contains("redirects"))
            #expect(!texts.contains { $0.contains(Self.canary) }, "the answer repeats the token in three places")
            #expect(subject.transport.requests.map(\.target) == Array(repeating: .service(demo), count: index + 1))
        }
        #expect(subject.transport.requests.map { $0.bearer?.reveal() } == [Self.canary, Self.canary])
        // Once while getting ready and once for the release; the real source gives the second from its cache.
        #expect(subject.tokens.audiences == ["https://vault.azure.net", "https://vault.azure.net"], "a caller's token needs no other")
    }

    @Test("once a store is configured, its neighbours are foreign") func neighbours() async throws {
        let subject = try Subject(["endpoint": .string("demo.vault.azure.net")]) { [self] request throws(HTTPTransportError) in
            redirect(request)
        }
        let (error, _) = try await subject.failure(try Endpoint("other.vault.azure.net"), .broker)
        #expect(error.outcome == "noProvider at route")
        #expect(subject.transport.requests.isEmpty)
        _ = try await subject.failure(nil, .broker)
        #expect(subject.transport.requests.map(\.target) == [.service(try Endpoint("demo.vault.azure.net"))])
    }

    @Test("a token that does not fit into a header field is sent to nobody", arguments: ["", "a b", "a\r\nX: y", "\u{F6}"]) func unusable(
        token: String
    ) async throws {
        let subject = try Subject { [self] request throws(HTTPTransportError) in redirect(request) }
        let (error, _) = try await subject.failure(try Endpoint("demo.vault.azure.net"), .bearer(Redacted(token)))
        #expect(error.outcome == "invalidRequest at identity")
        #expect(subject.transport.requests.isEmpty)
    }
}
