import StrictJSON
import Testing

@testable import BrokerHTTP

/// Where one request ends and the next begins.
struct FramingTests {
    /// Sends bytes and reads everything until the server closes.
    private func conversation(_ text: String, engine: ScriptedEngine = ScriptedEngine(), finishing: Bool = false) async throws -> String {
        try await TestServer.run(engine) { server in
            let port = server.port
            return try await blocking {
                let client = try RawClient.connect(port: port)
                client.send(text)
                if finishing { client.finishSending() }
                guard let bytes = client.receiveToEnd() else { throw RawClient.Failure(reason: "the server left the connection open") }
                return String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    private func answerCount(_ text: String) -> Int { text.split(separator: "HTTP/1.1 ").count }

    @Test(arguments: [
        // Both lengths, in either order, and lengths that contradict each other.
        "POST /attest/raw HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /status HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /attest/raw HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nGET /status HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 44\r\n\r\n{}GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2, 2\r\n\r\n{}",
        "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n{}",
        "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\n{}",
        "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0x2\r\n\r\n{}",
        "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n{}",
        "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /status HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "GET /status HTTP/1.1\r\nHost: localhost\r\n folded: x\r\n\r\n", "GET /status HTTP/1.1\r\nHost: localhost\r\nX\u{0}Y: x\r\n\r\n",
        "GET /sta tus HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /status HTTP/2.0\r\nHost: localhost\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}", "hello\r\n\r\n",
    ]) func ambiguousOrBrokenFramingEndsTheConnection(_ text: String) async throws {
        let engine = ScriptedEngine()
        let conversation = try await conversation(text, engine: engine)
        #expect(engine.questions.isEmpty)
        #expect(answerCount(conversation) == 1)
        #expect(conversation.hasPrefix("HTTP/1.1 400 ") || conversation.hasPrefix("HTTP/1.1 413 "))
        #expect(conversation.contains("\r\nConnection: close\r\n"))
        let body = try #require(conversation.firstRange(of: "\r\n\r\n")).upperBound
        #expect(try JSONCursor.parse(Array(conversation[body...].utf8)).string("code") == "invalidRequest")
    }

    @Test func aTraceOfOneRequestIsNeverPartOfTheNext() async throws {
        // A body with a request in it is a body.
        let engine = ScriptedEngine()
        let inner = "GET /nope HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let text = request("POST", "/attest/raw", body: inner) + request("GET", "/status", headers: ["Connection: close"])
        let conversation = try await conversation(text, engine: engine)
        #expect(answerCount(conversation) == 2)
        #expect(conversation.hasPrefix("HTTP/1.1 400 "))
        #expect(conversation.contains("Status OK"))
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        let engine = ScriptedEngine()
        let answers = try await TestServer.run(engine) { server in
            let port = server.port
            return try await blocking {
                let client = try RawClient.connect(port: port)
                var text = ""
                for index in 0..<20 {
                    text += request("POST", "/attest/raw", body: #"{"runtime_data":"aGVsbG8="}"#, headers: ["X-Request-Id: r\(index)"])
                }
                client.send(text)
                return try client.receiveAnswers(20)
            }
        }
        #expect(answers.map { $0.header("x-request-id") } == (0..<20).map { "r\($0)" })
        #expect(answers.allSatisfy { $0.status == 200 })
        #expect(engine.questions.count == 20)
    }

    @Test func aConnectionServesManyRequests() async throws {
        try await TestServer.run { server in
            let port = server.port
            try await blocking {
                let client = try RawClient.connect(port: port)
                for _ in 0..<50 {
                    client.send(request("GET", "/status"))
                    #expect(try client.receiveAnswer().status == 200)
                    client.send(request("POST", "/attest/raw", body: "{}"))
                    #expect(try client.receiveAnswer().status == 400)
                }
            }
        }
    }

    @Test func chunkedBodiesAreAccepted() async throws {
        let engine = ScriptedEngine()
        let answer = try await TestServer.run(engine) { server in
            try await server.ask(
                "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "5;ext=1\r\n{\"run\r\n16\r\ntime_data\":\"aGVsbG8=\"}\r\n0\r\nTrailer: x\r\n\r\n")
        }
        #expect(answer.status == 200)
        #expect(engine.questions == [.raw(Array("hello".utf8))])
    }

    @Test func headGetsNoBody() async throws {
        let conversation = try await conversation("HEAD /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        #expect(conversation.hasPrefix("HTTP/1.1 404 "))
        #expect(conversation.hasSuffix("\r\n\r\n"))
    }

    @Test func http10IsAnsweredAndClosed() async throws {
        let conversation = try await conversation("GET /status HTTP/1.0\r\n\r\n")
        #expect(conversation.hasPrefix("HTTP/1.1 200 "))
        #expect(conversation.contains("Status OK"))
    }

    @Test(arguments: [
        "GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
    ]) func upgradesAreIgnored(_ text: String) async throws {
        let conversation = try await conversation(text + "GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(answerCount(conversation) == 1)
        #expect(conversation.hasPrefix("HTTP/1.1 200 "))
    }

    @Test func connectIsNotAProxy() async throws {
        let conversation = try await conversation("CONNECT example.org:443 HTTP/1.1\r\nHost: localhost\r\n\r\nabc")
        #expect(conversation.hasPrefix("HTTP/1.1 404 "))
    }

    @Test(arguments: [
        "/status/", "//status", "/STATUS", "/%73tatus", "/./status", "/status;x", "/attest", "/attest/raw/x", "*", "/", "/key/release%00",
    ]) func otherPathsAreNotFound(_ path: String) async throws {
        let answer = try await TestServer.run { try await $0.ask(request("GET", path)) }
        #expect(answer.status == 404)
        #expect(answer.text == "404 page not found")
        #expect(answer.header("content-type") == "text/plain")
    }

    @Test(arguments: ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"]) func otherMethodsAreNotFound(_ method: String) async throws {
        try await TestServer.run { server in
            for path in ["/attest/raw", "/attest/combined", "/attest/maa", "/key/release"] {
                let answer = try await server.ask(request(method, path))
                #expect(answer.status == 404)
            }
        }
    }

    @Test func aQueryIsIgnored() async throws {
        let answer = try await TestServer.run { try await $0.ask(request("GET", "/status?x=1#y")) }
        #expect(answer.status == 200)
    }

    @Test func aHalfClosedClientGetsItsAnswer() async throws {
        let conversation = try await conversation(request("POST", "/attest/raw", body: #"{"runtime_data":"aGVsbG8="}"#), finishing: true)
        #expect(conversation.hasPrefix("HTTP/1.1 200 "))
    }

    @Test func aRequestCutShortIsToldSo() async throws {
        let engine = ScriptedEngine()
        let conversation = try await conversation(
            "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\n{\"runtime_data\":\"aGVs", engine: engine,
            finishing: true)
        #expect(conversation.hasPrefix("HTTP/1.1 400 "))
        #expect(conversation.contains("middle of the request"))
        #expect(engine.questions.isEmpty)
    }

    @Test func aHeadCutShortGetsNothing() async throws {
        #expect(try await conversation("GET /status HTTP/1.1\r\nHost: loc", finishing: true).isEmpty)
        #expect(try await conversation("", finishing: true).isEmpty)
    }

    @Test func answersCarryADate() async throws {
        let answer = try await TestServer.run { try await $0.ask(request("GET", "/status")) }
        #expect(answer.header("date")?.hasSuffix(" GMT") == true)
    }
}
