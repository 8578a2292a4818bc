import BrokerConfiguration
import Glibc
import InMemoryLogging
import Logging
import Testing

@testable import BrokerHTTP

/// Who is still there, and what the log says about it. C9 and C21 of the attacks.
@Suite(.timeLimit(.minutes(5))) struct PeerTests {
    enum Place: CaseIterable { case tcp, unix }

    static let slow = [
        ("/key/release", #"{"kid":"k"}"#), ("/attest/maa", #"{"runtime_data":"aGVsbG8=","maa_endpoint":"demo.attest.azure.net"}"#),
    ]

    /// A server on either place, and how to connect to it.
    private func serve<Value: Sendable>(
        _ place: Place, _ engine: ScriptedEngine, _ body: (TestServer, @escaping @Sendable () throws -> RawClient) async throws -> Value
    ) async throws -> Value {
        let directory = try SocketDirectory()
        let options = TestServer.options { if place == .unix { $0.unix = directory.socket } }
        return try await TestServer.run(engine, options: options) { server in
            let port = server.port
            return try await body(server) { place == .tcp ? try .connect(port: port) : try .connect(path: directory.socket) }
        }
    }

    @Test("C9: a client that ends its half after the request is answered", arguments: Place.allCases, slow)
    func halfClosing(_ place: Place, _ route: (path: String, body: String)) async throws {
        let (started, startedContinuation) = AsyncStream<Void>.makeStream()
        let (ended, endedContinuation) = AsyncStream<Bool>.makeStream()
        let door = Latch()
        var script = ScriptedEngine.Script()
        script.pause = {
            startedContinuation.yield()
            await door.wait()
            endedContinuation.yield(Task.isCancelled)
        }
        try await serve(place, ScriptedEngine(script)) { server, connect in
            let client = try await blocking {
                let client = try connect()
                client.send(request("POST", route.path, body: route.body))
                client.finishSending()
                return client
            }
            for await _ in started { break }
            // Every event loop has looked at its connections since.
            for _ in 0..<8 { #expect(try await server.ask(request("GET", "/status")).status == 200) }
            door.open()
            let answer = try await blocking { try client.receiveAnswer() }
            #expect(answer.status == 200)
            for await isCancelled in ended {
                #expect(!isCancelled)
                break
            }
            let line = try await server.logLine { $0.metadata["route"] == "\(route.path)" }
            #expect(line.metadata["peer"] == nil)
        }
    }

    @Test("C9: work for a caller that is really gone ends", arguments: Place.allCases, slow)
    func abort(_ place: Place, _ route: (path: String, body: String)) async throws {
        let (started, startedContinuation) = AsyncStream<Void>.makeStream()
        var script = ScriptedEngine.Script()
        let door = Latch()
        // Nobody opens the door: only cancellation ends the wait.
        script.pause = {
            startedContinuation.yield()
            await door.wait()
        }
        try await serve(place, ScriptedEngine(script)) { server, connect in
            let client = try await blocking {
                let client = try connect()
                client.send(request("POST", route.path, body: route.body))
                return client
            }
            for await _ in started { break }
            client.abort()
            let line = try await server.logLine { $0.metadata["route"] == "\(route.path)" }
            #expect(line.metadata["peer"] == "gone")
        }
    }

    @Test("C21: a client that goes once it has its answer is not said to have stopped sending", arguments: Place.allCases)
    func ordinaryClients(_ place: Place) async throws {
        try await serve(place, ScriptedEngine()) { server, connect in
            for _ in 0..<100 {
                let status = try await blocking {
                    let client = try connect()
                    client.send(request("POST", "/key/release", body: #"{"kid":"k"}"#))
                    return try client.receiveAnswer().status
                }
                #expect(status == 200)
            }
            var lines = 0
            while lines < 100 {
                _ = try await server.logLine { _ in true }
                lines = server.log.entries.count { "\($0.message)" == "request" }
                await Task.yield()
            }
            #expect(server.log.entries.allSatisfy { $0.metadata["peer"] == nil })
        }
    }

    @Test("C21: a client that ends in the middle of its request is", arguments: Place.allCases) func aborts(_ place: Place) async throws {
        try await serve(place, ScriptedEngine()) { server, connect in
            let status = try await blocking {
                let client = try connect()
                client.send("POST /key/release HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\n{")
                client.finishSending()
                return try client.receiveAnswer().status
            }
            #expect(status == 400)
            let line = try await server.logLine { "\($0.message)" == "request" }
            #expect(line.metadata["peer"] == "stopped sending")
        }
    }
}

/// A new directory with a path that is short enough for a socket; removed with this value.
final class SocketDirectory: Sendable {
    let path: String
    var socket: String { path + "/broker.sock" }

    init() throws {
        var template = Array("/tmp/broker-http-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw RawClient.Failure(reason: "mkdtemp") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { rmdir(path) }
}
