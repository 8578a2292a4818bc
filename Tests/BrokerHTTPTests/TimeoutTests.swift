import BrokerConfiguration
import InMemoryLogging
import Logging
import BrokerCore
import StrictJSON
import Testing

@testable import BrokerHTTP

/// Callers that stop in the middle, and callers that go.
@Suite(.timeLimit(.minutes(5))) struct TimeoutTests {
    @Test(arguments: ["", "GET", "GET /status HTTP/1.1\r\nHost: local", "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\n", "\r\n\r\n"])
    func halfSentHeadsAreClosedWhileOthersAreServed(_ start: String) async throws {
        let options = TestServer.options { $0.headerTimeout = .seconds(2) }
        try await TestServer.run(options: options) { server in
            let port = server.port
            try await blocking {
                let slow = try RawClient.connect(port: port)
                slow.send(start)
                var served = 0
                while !slow.hasInput(withinMilliseconds: 0) {
                    let other = try RawClient.connect(port: port)
                    other.send(request("GET", "/status"))
                    #expect(try other.receiveAnswer().status == 200)
                    served += 1
                    try #require(served < 100_000)
                }
                #expect(served > 0)
                #expect(slow.receive()?.isEmpty == true)
            }
        }
    }

    @Test func trickledHeadsAreClosedToo() async throws {
        let options = TestServer.options { $0.headerTimeout = .seconds(2) }
        try await TestServer.run(options: options) { server in
            let port = server.port
            try await blocking {
                let slow = try RawClient.connect(port: port)
                slow.send("GET /status HTTP/1.1\r\n")
                let start = ContinuousClock.now
                while !slow.hasInput(withinMilliseconds: 20), ContinuousClock.now - start < .seconds(60) { slow.send("X: y\r\n") }
                #expect(ContinuousClock.now - start < .seconds(60))
            }
        }
    }

    @Test func theSecondHeadOfAConnectionIsTimedFromItsFirstByte() async throws {
        let options = TestServer.options { $0.headerTimeout = .seconds(2) }
        try await TestServer.run(options: options) { server in
            let port = server.port
            try await blocking {
                let client = try RawClient.connect(port: port)
                client.send(request("GET", "/status"))
                #expect(try client.receiveAnswer().status == 200)
                // Idle for longer than a head may take: allowed for as long as `idleTimeout`.
                #expect(!client.hasInput(withinMilliseconds: 2500))
                client.send("GET /sta")
                #expect(client.hasInput(withinMilliseconds: 60_000))
                #expect(client.receive()?.isEmpty == true)
            }
        }
    }

    @Test func idleConnectionsAreClosed() async throws {
        let options = TestServer.options { $0.idleTimeout = .milliseconds(200) }
        try await TestServer.run(options: options) { server in
            let port = server.port
            try await blocking {
                let client = try RawClient.connect(port: port)
                client.send(request("GET", "/status"))
                #expect(try client.receiveAnswer().status == 200)
                #expect(client.receive()?.isEmpty == true)
            }
        }
    }

    @Test(arguments: ["Content-Length: 100", "Transfer-Encoding: chunked"]) func halfSentBodiesAreAnsweredAndClosed(_ length: String)
        async throws
    {
        let engine = ScriptedEngine()
        let options = TestServer.options { $0.bodyTimeout = .milliseconds(300) }
        try await TestServer.run(engine, options: options) { server in
            let port = server.port
            try await blocking {
                let client = try RawClient.connect(port: port)
                client.send("POST /attest/raw HTTP/1.1\r\nHost: localhost\r\n\(length)\r\n\r\n")
                let answer = try client.receiveAnswer()
                #expect(answer.status == 408)
                #expect(try JSONCursor.parse(answer.body).boolean("retryable"))
                #expect(client.receive()?.isEmpty == true)
            }
        }
        #expect(engine.questions.isEmpty)
    }

    @Test func aClientThatDoesNotGoIsCutOff() async throws {
        let options = TestServer.options { $0.bodyTimeout = .milliseconds(300) }
        try await TestServer.run(options: options) { server in
            let port = server.port
            try await blocking {
                let client = try RawClient.connect(port: port)
                client.send("POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(1 << 30)\r\n\r\n")
                #expect(try client.receiveAnswer().status == 413)
                #expect(client.receive()?.isEmpty == true)
                // Half-closed now. The other half follows, and then writing fails.
                let start = ContinuousClock.now
                while client.send([0]), ContinuousClock.now - start < .seconds(60) { _ = client.hasInput(withinMilliseconds: 1) }
                #expect(ContinuousClock.now - start < .seconds(60))
            }
        }
    }

    @Test func aPeerThatNeverReadsIsCutOff() async throws {
        var script = ScriptedEngine.Script()
        script.evidence = Evidence(
            report: [UInt8](repeating: 0, count: 1 << 20), endorsements: [[1]], endorsedTCB: "00", provenance: .hardware)
        let options = TestServer.options { $0.idleTimeout = .milliseconds(300) }
        try await TestServer.run(ScriptedEngine(script), options: options) { server in
            let port = server.port
            // Two mebibytes for each answer: more than the system buffers hold.
            let client = try await blocking {
                let client = try RawClient.connect(port: port)
                let text = request("POST", "/attest/raw", body: #"{"runtime_data":"aGVsbG8="}"#)
                client.send(String(repeating: text, count: 20))
                return client
            }
            _ = try await server.logLine { $0.metadata["peer"] == "gone" }
            withExtendedLifetime(client) {}
        }
    }

    @Test func aSlowAnswerIsNotTimedByTheConnection() async throws {
        var script = ScriptedEngine.Script()
        let door = Latch()
        script.pause = { await door.wait() }
        let options = TestServer.options {
            $0.headerTimeout = .seconds(2)
            $0.bodyTimeout = .seconds(2)
            $0.idleTimeout = .seconds(2)
        }
        try await TestServer.run(ScriptedEngine(script), options: options) { server in
            let port = server.port
            try await blocking {
                let client = try RawClient.connect(port: port)
                client.send(request("POST", "/key/release", body: #"{"kid":"k"}"#))
                #expect(!client.hasInput(withinMilliseconds: 2500))
                door.open()
                #expect(try client.receiveAnswer().status == 200)
            }
        }
    }

    @Test(
        arguments: [
            ("/key/release", #"{"kid":"k"}"#), ("/attest/raw", #"{"runtime_data":"aGVsbG8="}"#),
            ("/attest/combined", #"{"runtime_data":"aGVsbG8="}"#),
            ("/attest/maa", #"{"runtime_data":"aGVsbG8=","maa_endpoint":"demo.attest.azure.net"}"#), ("/readyz", ""),
        ]) func workEndsWithItsConnection(_ path: String, _ body: String) async throws
    {
        let (started, startedContinuation) = AsyncStream<Void>.makeStream()
        let (ended, endedContinuation) = AsyncStream<Bool>.makeStream()
        var script = ScriptedEngine.Script()
        let door = Latch()
        script.pause = {
            startedContinuation.yield()
            await door.wait()
            endedContinuation.yield(Task.isCancelled)
        }
        try await TestServer.run(ScriptedEngine(script)) { server in
            let port = server.port
            let client = try await blocking {
                let client = try RawClient.connect(port: port)
                client.send(request(path == "/readyz" ? "GET" : "POST", path, body: path == "/readyz" ? nil : body))
                return client
            }
            for await _ in started { break }
            client.abort()
            for await isCancelled in ended {
                #expect(isCancelled)
                break
            }
        }
    }
}
