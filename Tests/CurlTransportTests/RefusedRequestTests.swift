import Waiting
import CurlTransport
import HTTPTransport
import OpenSSLCrypto
import SecureMemory
import Testing

@Suite struct RefusedRequestTests {
    private let service: HTTPRequest.Target
    private let transport: CurlTransport

    init() throws {
        service = .service(try Endpoint("contoso.vault.azure.net"))
        transport = try makeTransport()
    }

    private func isRefused(_ request: HTTPRequest) async -> Bool {
        guard case .invalidRequest = await failure(of: request, with: transport) else { return false }
        return true
    }

    @Test(arguments: [
        ("a", "b\r\nX: y"), ("a", "b\n"), ("a", "b\r"), ("a", "\0"), ("a", "\u{7F}"), ("a\r\nb", "c"), ("a b", "c"), ("", "c"), ("a:", "c"),
        ("é", "c"), ("Authorization", "Bearer x"), ("HOST", "evil"), ("content-length", "5"), ("Transfer-Encoding", "chunked"),
        ("Expect", "100-continue"), ("Connection", "close"), ("TE", "trailers"),
    ]) func headerFieldsThatChangeTheMessage(name: String, value: String) async {
        #expect(await isRefused(HTTPRequest(.get, service, path: "/", headers: [(name, value)], deadline: .after(.seconds(5)))))
    }

    @Test(arguments: ["", "keys", "/a b", "/a\r\nX: y", "/é", "/a#b", "//" + String(repeating: "a", count: 20_000)]) func paths(
        path: String
    ) async { #expect(await isRefused(HTTPRequest(.get, service, path: path, deadline: .after(.seconds(5))))) }

    @Test(arguments: ["", "a b", "a\r\nX: y", "é"]) func bearers(bearer: String) async {
        #expect(await isRefused(HTTPRequest(.get, service, path: "/", bearer: Redacted(bearer), deadline: .after(.seconds(5)))))
    }

    @Test(arguments: [
        ("", 80), ("127.0.0.1@evil", 80), ("127.0.0.1/x", 80), ("127.0.0.1?x", 80), ("a b", 80), ("[::1]", 80), ("127.0.0.1:80", 80),
        ("127.0.0.1", 0), ("127.0.0.1", 65536),
    ]) func metadataAddresses(host: String, port: Int) async {
        #expect(await isRefused(HTTPRequest(.get, .metadata(host: host, port: port), path: "/", deadline: .after(.seconds(5)))))
    }

    @Test(arguments: ["", "/", "relative", "/run/a\u{0}b", "/run/" + String(repeating: "x", count: 110)])
    func sockets(path: String) async {
        #expect(await isRefused(HTTPRequest(.get, .unix(path: path), path: "/", deadline: .after(.seconds(5)))))
    }

    @Test func aBearerIsNotForASocket() async {
        let request = HTTPRequest(.get, .unix(path: "/run/x"), path: "/", bearer: Redacted("secret"), deadline: .after(.seconds(5)))
        #expect(await isRefused(request))
    }

    @Test func aBearerNeverCrossesTheLinkInTheClear() async throws {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.answer("")
        }
        defer { server.stop() }
        var request = get(server)
        request.bearer = Redacted("secret")
        #expect(await isRefused(request))
        #expect(server.acceptedConnections == 0)
    }

    @Test func withoutAuthoritiesToBelieveNothingIsSent() async throws {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.answer("")
        }
        defer { server.stop() }
        let transport = try CurlTransport(
            .init(
                trust: { () throws(CryptoError) in throw CryptoError(operation: "reading trusted certificates", reason: "gone") },
                userAgent: "test/1"))
        defer { transport.shutdown() }
        #expect(await failure(of: get(server), with: transport) == .connectionFailed(reason: "reading trusted certificates: gone"))
        #expect(server.acceptedConnections == 0)
    }

    @Test func aUserAgentWithALineBreakIsRefusedAtTheStart() {
        #expect(throws: HTTPTransportError.self) {
            try CurlTransport(CurlTransport.Options(trust: { () throws(CryptoError) in try TrustStore(roots: []) }, userAgent: "a\r\nX: y"))
        }
    }
}
