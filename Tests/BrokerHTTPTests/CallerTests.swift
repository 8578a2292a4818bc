import BrokerConfiguration
import HTTPTransport
import InMemoryLogging
import Logging
import NIOHTTP1
import PlainText
import StrictJSON
import Testing

@testable import BrokerHTTP

/// Web pages and names that somebody else pointed at this machine.
struct CallerTests {
    private func status(
        _ headers: [String], host: String? = "127.0.0.1", options: HTTPFrontEndOptions = TestServer.options(), target: String = "/status"
    ) async throws -> RawAnswer {
        try await TestServer.run(options: options) { server in
            var text = "GET \(target) HTTP/1.1\r\n"
            if let host { text += "Host: \(host)\r\n" }
            for header in headers { text += header + "\r\n" }
            return try await server.ask(text + "\r\n")
        }
    }

    @Test(arguments: ["127.0.0.1", "127.0.0.1:8080", "localhost", "LocalHost:80", "[::1]", "[::1]:8080", "10.1.2.3", "192.168.1.2:1"])
    func harmlessHosts(_ host: String) async throws { #expect(try await status([], host: host).status == 200) }

    @Test(arguments: [
        "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "2130706433", "0x7f.1", "127.1", "[::1",
        "::1", "127.0.0.1:80a", "127.0.0.1:", "user@127.0.0.1", "", "[fe80::1%25lo]",
    ]) func otherHosts(_ host: String) async throws {
        let answer = try await status([], host: host)
        // An empty port is legal (RFC 3986, 3.2.3).
        #expect(answer.status == (host == "127.0.0.1:" ? 200 : 403))
        if answer.status == 403 { #expect(try JSONCursor.parse(answer.body).string("error").contains("Host")) }
    }

    @Test func aMissingOrSecondHostIsMalformed() async throws {
        #expect(try await status([], host: nil).status == 400)
        #expect(try await status(["Host: localhost"]).status == 400)
    }

    @Test func anAbsoluteTargetCountsToo() async throws {
        #expect(try await status([], target: "http://localhost:8080/status").status == 200)
        #expect(try await status([], target: "http://evil.example/status").status == 403)
        #expect(try await status([], host: "evil.example", target: "http://localhost/status").status == 403)
    }

    @Test(arguments: [
        ["Origin: https://evil.example"], ["Origin: null"], ["Origin:"], ["Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: same-origin"],
        ["sec-fetch-site: none", "Sec-Fetch-Site: same-site"],
    ]) func webPagesAreRefused(_ headers: [String]) async throws {
        let answer = try await status(headers)
        #expect(answer.status == 403)
        #expect(try JSONCursor.parse(answer.body).string("error").contains("web pages"))
    }

    @Test func aPersonAtABrowserIsNot() async throws { #expect(try await status(["Sec-Fetch-Site: none"]).status == 200) }

    @Test(arguments: [
        "X-Forwarded-Host: localhost", "X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1;host=localhost", "X-Real-IP: 127.0.0.1",
        "X-Original-Host: localhost", "X-Host: localhost",
    ]) func nobodyIsBelievedToBeAProxy(_ header: String) async throws {
        #expect(try await status([header], host: "evil.example").status == 403)
        #expect(try await status([header, "Origin: http://localhost"]).status == 403)
        try await TestServer.run { server in
            let elsewhere = header.replacing("127.0.0.1", with: "192.0.2.7").replacing("localhost", with: "forwarded.example")
            let id = "X-Request-Id: forwarded"
            #expect(try await server.ask(request("GET", "/nothing", headers: [elsewhere, id])).status == 404)
            let line = try await server.logLine { $0.metadata["request_id"] == "forwarded" }
            #expect(!"\(line)".contains("192.0.2.7") && !"\(line)".contains("forwarded.example"))
        }
    }

    @Test func aRefusedPageReleasesNothing() async throws {
        let engine = ScriptedEngine()
        let answer = try await TestServer.run(engine) {
            try await $0.ask(request("POST", "/key/release", body: #"{"kid":"k"}"#, headers: ["Origin: http://127.0.0.1"]))
        }
        #expect(answer.status == 403)
        #expect(engine.questions.isEmpty)
    }

    @Test func onAnOpenAddressNamesAreAcceptedAndTheLogWarns() async throws {
        // Loopback all the same, but not in a form that the front end takes for it.
        let options = TestServer.options { $0.http = .init(host: "127.1", port: 0) }
        try await TestServer.run(options: options) { server in
            let answer = try await server.ask("GET /status HTTP/1.1\r\nHost: broker.internal\r\n\r\n")
            #expect(answer.status == 200)
            _ = try await server.logLine { $0.level == .warning && "\($0.message)".contains("beyond this machine") }
        }
        try await TestServer.run { server in #expect(!server.log.entries.contains { $0.level >= .warning }) }
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("localhost", true), ("0.0.0.0", false), ("::", false),
        ("10.0.0.1", false), ("::ffff:127.0.0.1", false), ("broker.internal", false),
    ]) func loopbackAddresses(_ host: String, _ isLoopback: Bool) {
        #expect(IPAddress.isLoopback(host: host) == isLoopback)
    }

    @Test func theListenNameIsHarmless() throws {
        let rule = HostRule(restrictsHost: true, names: ["broker.local"])
        func head(_ host: String) -> HTTPRequestHead { HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: ["Host": host]) }
        try rule.check(head("Broker.Local:8080"))
        #expect(throws: Refusal.hostRefused) { try rule.check(head("broker.local.evil.example")) }
    }

    @Test(arguments: [
        ("abc-DEF_1.2", true), (String(repeating: "a", count: 64), true), (String(repeating: "a", count: 65), false), ("a b", false),
        ("", false), ("a;b", false), ("ä", false),
    ]) func requestIDsAreTakenOverOnlyWhenHarmless(_ id: String, _ isTaken: Bool) async throws {
        let answer = try await status(["X-Request-Id: \(id)"])
        let given = try #require(answer.header("x-request-id"))
        #expect((given == id) == isTaken)
        #expect(!given.isEmpty)
        #expect(try await status(["X-Request-Id: a", "X-Request-Id: b"]).header("x-request-id").map { $0.count > 8 } == true)
    }
}
