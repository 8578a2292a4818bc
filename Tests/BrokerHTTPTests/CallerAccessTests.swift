import BrokerConfiguration
import BrokerCore
import BrokerEngine
import BrokerListeners
import Glibc
import StrictJSON
import Synchronization
import Testing

@testable import BrokerHTTP

/// What is done for a caller who may not ask: as little as possible.
struct CallerAccessTests {
    private static func refusing() -> ScriptedEngine {
        var script = ScriptedEngine.Script()
        script.refusal = { caller, operation in
            operation == .release ? BrokerError(.callerRefused, at: .caller, "no rule lets \(caller) release a key") : nil
        }
        return ScriptedEngine(script)
    }

    @Test("a refused caller has its answer before its body is sent, and nobody asked the engine") func unread() async throws {
        let engine = Self.refusing()
        try await TestServer.run(engine) { server in
            let port = server.port
            let answer = try await blocking {
                let client = try RawClient.connect(port: port)
                client.send("POST /key/release HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
                return try client.receiveAnswer()
            }
            #expect(answer.status == 403 && answer.header("connection") == "close")
            let document = try JSONCursor.parse(answer.body)
            #expect(try document.string("code") == "callerRefused" && document.string("stage") == "caller")
            #expect(try document.string("error").contains("127.0.0.1"))
            // Attestations are another matter, and so is what everybody may know.
            #expect(try await server.post("/attest/raw", #"{"runtime_data":"aGVsbG8="}"#).status == 200)
            #expect(try await server.ask(request("GET", "/status")).status == 200)
        }
        #expect(engine.turnedAway.withLock { $0 } == [.release])
        #expect(engine.questions == [.raw(Array("hello".utf8))])
    }

    @Test("whatever is refused, the pace of a caller's refusals holds for it; for nothing else") func pace() async throws {
        let engine = Self.refusing()
        try await TestServer.run(engine) { server in
            for (answer, status) in [
                (try await server.post("/key/release", #"{"kid":"k"}"#), 403), (try await server.post("/attest/raw", "no JSON"), 400),
                (try await server.ask(request("GET", "/none")), 404),
            ] { #expect(answer.status == status) }
            #expect(engine.rests.withLock { $0 } == 3)
            #expect(try await server.post("/attest/raw", #"{"runtime_data":"aGVsbG8="}"#).status == 200)
            #expect(engine.rests.withLock { $0 } == 3)
        }
        var script = ScriptedEngine.Script()
        script.obstacles = ["the wrapping keys are not there yet"]
        let waiting = ScriptedEngine(script)
        let probe = try await TestServer.run(waiting) { try await $0.ask(request("GET", "/readyz")) }
        #expect(probe.status == 503 && waiting.rests.withLock { $0 } == 0)
    }

    @Test("with Expect: 100-continue the body is never asked for") func unwanted() async throws {
        try await TestServer.run(Self.refusing()) { server in
            let answer = try await server.ask(
                "POST /key/release HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\nExpect: 100-continue\r\n\r\n")
            #expect(answer.status == 403)
        }
    }

    @Test("on a Unix socket the caller is the process that connected, with its program and control group") func peer() async throws {
        let directory = try SocketDirectory()
        let seen = Seen()
        var script = ScriptedEngine.Script()
        script.refusal = { caller, _ in
            seen.note(caller)
            return nil
        }
        let options = TestServer.options { ($0.http, $0.unix) = (nil, directory.socket) }
        try await TestServer.run(ScriptedEngine(script), options: options) { _ in
            let path = directory.socket
            let status = try await blocking {
                let client = try RawClient.connect(path: path)
                client.send(request("POST", "/key/release", body: #"{"kid":"k"}"#))
                return try client.receiveAnswer().status
            }
            #expect(status == 200)
        }
        let caller = try #require(seen.callers.first)
        #expect(caller.way == .unix && caller.uid == geteuid() && caller.gid == getegid() && caller.pid == getpid())
        var path = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count)
        #expect(caller.executable == String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self))
        #expect(caller.cgroup?.hasPrefix("/") == true)
    }

    @Test("C1: bodies of one caller leave a quarter of the budget to others, and short ones need none") func bodies() {
        let budget = BodyBudget(32 << 20, longestBody: 1 << 20)
        var taken = 0
        while budget.take(1 << 20, for: "uid:1") { taken += 1 }
        #expect(taken == 24)
        #expect(budget.take(1 << 20, for: "uid:2") && budget.take(0, for: "uid:1"))
        budget.give(1 << 20, of: "uid:1")
        #expect(budget.take(1 << 20, for: "uid:1") && !budget.take(1 << 20, for: "uid:1"))
        // One body of the permitted length is always possible.
        #expect(BodyBudget(1 << 20, longestBody: 1 << 20).take(1 << 20, for: "x"))
    }

    @Test("C1: while one caller holds all the bodies it can, a request for a key gets through") func held() async throws {
        let options = TestServer.options { $0.totalBodyLimit = 2 << 20 }
        try await TestServer.run(options: options) { server in
            let port = server.port
            let clients = try await blocking {
                try (0..<8).map { _ in
                    let client = try RawClient.connect(port: port)
                    client.send("POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(1 << 20)\r\n\r\n")
                    client.send([UInt8](repeating: UInt8(ascii: "a"), count: (1 << 20) - 1))
                    return client
                }
            }
            for _ in 0..<10 { #expect(try await server.post("/key/release", #"{"kid":"k"}"#).status == 200) }
            withExtendedLifetime(clients) {}
        }
    }

    @Test("the profile precise wants JSON and a known host; compatible takes what the original took") func contentType() async throws {
        func status(_ profile: ResponseProfile, _ type: String?, host: String = "127.0.0.1", hosts: [String] = []) async throws -> Int {
            let options = TestServer.options { ($0.profile, $0.hosts) = (profile, hosts) }
            let body = #"{"kid":"k"}"#
            let field = type.map { "Content-Type: \($0)\r\n" } ?? ""
            return try await TestServer.run(options: options) {
                try await $0.ask(
                    "POST /key/release HTTP/1.1\r\nHost: \(host)\r\n\(field)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
                ).status
            }
        }
        #expect(try await status(.precise, "application/json") == 200)
        #expect(try await status(.precise, "Application/JSON; charset=utf-8") == 200)
        for type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", nil] {
            #expect(try await status(.precise, type) == 415)
            #expect(try await status(.compatible, type) == 200)
        }
        #expect(try await status(.precise, "application/json", host: "broker.internal") == 403)
        #expect(try await status(.precise, "application/json", host: "broker.internal:8080", hosts: ["Broker.Internal"]) == 200)
    }
}

/// Callers that were asked about.
private final class Seen: Sendable {
    private let state = Mutex<[Caller]>([])
    var callers: [Caller] { state.withLock { $0 } }
    func note(_ caller: Caller) { state.withLock { $0.append(caller) } }
}
