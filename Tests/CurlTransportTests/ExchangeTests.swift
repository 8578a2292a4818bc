import CurlTransport
import HTTPTransport
import SecureMemory
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct ExchangeTests {
    @Test func sendsARequestAndReturnsTheAnswer() async throws {
        let seen = Mutex<(head: String, body: [UInt8])?>(nil)
        let server = try LoopbackServer { connection in
            let request = connection.readRequest()
            seen.withLock { $0 = request }
            connection.answer("{}", status: "201 Created", headers: "X-Two:  a b \r\nx-two: c\r\nX-Empty:\r\n")
        }
        defer { server.stop() }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        var request = get(server, "/a/../b?x=%20y&z=1")
        request.method = .put
        request.headers = [("Metadata", "true"), ("X-Empty", ""), ("content-type", "application/json")]
        request.body = Array("{\"k\":1}".utf8)
        let response = try await transport.send(request)
        #expect(response.status == 201)
        #expect(response.text == "{}")
        #expect(response.headers.filter { $0.name == "x-two" }.map(\.value) == ["a b", "c"])
        #expect(response.header("x-empty") == "")
        let exchange = try #require(seen.withLock { $0 })
        let lines = exchange.head.split(separator: "\r\n").map(String.init)
        #expect(lines.first == "PUT /a/../b?x=%20y&z=1 HTTP/1.1")
        #expect(lines.contains("Host: 127.0.0.1:\(server.port)"))
        #expect(lines.contains("User-Agent: test/1"))
        #expect(lines.contains("Metadata: true"))
        #expect(lines.contains("X-Empty:"))
        #expect(lines.contains("content-type: application/json"))
        #expect(!lines.contains { $0.lowercased().hasPrefix("expect") || $0.lowercased().hasPrefix("accept-encoding") })
        #expect(exchange.body == Array("{\"k\":1}".utf8))
    }

    @Test func aRequestMayNameItsOwnUserAgent() async throws {
        let server = try LoopbackServer { connection in
            let head = connection.readRequest()?.head ?? ""
            connection.answer(head.split(separator: "\r\n").filter { $0.lowercased().hasPrefix("user-agent") }.joined())
        }
        defer { server.stop() }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        var request = get(server)
        request.headers = [("User-Agent", "other/2")]
        #expect(try await transport.send(request).text == "User-Agent: other/2")
    }

    @Test func largeBodiesAreSentWithoutAskingFirst() async throws {
        let server = try LoopbackServer { connection in
            guard let request = connection.readRequest() else { return }
            let expects = request.head.lowercased().contains("\r\nexpect:")
            let isTyped = request.head.lowercased().contains("\r\ncontent-type:")
            connection.answer("\(request.body.count) \(expects) \(isTyped)")
        }
        defer { server.stop() }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        var request = get(server)
        request.method = .post
        request.body = [UInt8](repeating: 0x61, count: 3 << 20)
        #expect(try await transport.send(request).text == "\(3 << 20) false false")
        request.body = []
        #expect(try await transport.send(request).text == "0 false false")
        request.body = nil
        #expect(try await transport.send(request).text == "0 false false")
    }

    @Test func methodsWithoutABody() async throws {
        let server = try LoopbackServer { connection in
            while let request = connection.readRequest() { connection.answer(String(request.head.prefix { $0 != "\r" && $0 != "\r\n" })) }
        }
        defer { server.stop() }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete] {
            var request = get(server, "/m")
            request.method = method
            #expect(try await transport.send(request).text == "\(method.rawValue) /m HTTP/1.1")
        }
    }

    @Test(arguments: ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]) func redirectsAreAnswersAndNotFollowed(
        status: String
    ) async throws {
        let elsewhere = try LoopbackServer { connection in connection.answer("followed") }
        let port = elsewhere.port
        let server = try LoopbackServer { connection in
            while connection.readRequest() != nil {
                connection.answer("", status: status, headers: "Location: http://127.0.0.1:\(port)/\r\n")
            }
        }
        defer {
            server.stop()
            elsewhere.stop()
        }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        let response = try await transport.send(get(server))
        #expect(String(response.status) == status.prefix(3))
        #expect(response.header("location") == "http://127.0.0.1:\(port)/")
        #expect(elsewhere.acceptedConnections == 0)
    }

    @Test func connectionsAreReused() async throws {
        let server = try LoopbackServer { connection in while connection.readRequest() != nil { connection.answer("\(connection.number)") }
        }
        defer { server.stop() }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        for _ in 0..<20 { #expect(try await transport.send(get(server)).text == "1") }
        #expect(server.acceptedConnections == 1)
    }

    @Test func twoHundredRequestsAtOnceShareABoundedNumberOfConnections() async throws {
        let server = try LoopbackServer { connection in
            while let request = connection.readRequest() { connection.answer(String(request.head.split(separator: " ")[1])) }
        }
        defer { server.stop() }
        let transport = try makeTransport(connections: 16, perOrigin: 16)
        defer { transport.shutdown() }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 { group.addTask { try await transport.send(get(server, "/\(number)")).text == "/\(number)" } }
            for try await isRight in group { #expect(isRight) }
        }
        #expect((1...16).contains(server.acceptedConnections))
    }

    @Test func interimAnswersAndTrailersAreNotTheAnswersFields() async throws {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 103 Early Hints\r\nLink: early\r\n\r\n")
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\nX-Early: a\r\n\r\n")
            connection.send("2\r\nok\r\n0\r\nX-Late: b\r\nX-Early: forged\r\n\r\n")
        }
        defer { server.stop() }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        let response = try await transport.send(get(server))
        #expect(response.text == "ok")
        #expect(response.header("link") == nil)
        #expect(response.header("x-late") == nil)
        #expect(response.headers.filter { $0.name == "x-early" }.map(\.value) == ["a"])
    }

    @Test func anEmptyAnswerIsAnAnswer() async throws {
        let server = try LoopbackServer { connection in
            while connection.readRequest() != nil { connection.send("HTTP/1.1 204 No Content\r\n\r\n") }
        }
        defer { server.stop() }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        let response = try await transport.send(get(server, limit: 0))
        #expect(response.status == 204)
        #expect(response.body == [])
    }
}
