import Waiting
import CurlTransport
import HTTPTransport
import Testing

@Suite(.timeLimit(.minutes(2))) struct HostileAnswerTests {
    /// Serves the same bytes to every request, then ends the connection.
    private func failureOf(_ answer: String, limit: Int = 1 << 20, resets: Bool = false) async throws -> HTTPTransportError? {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send(answer)
            if resets { connection.resetAtEnd() }
        }
        defer { server.stop() }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        return await failure(of: get(server, limit: limit), with: transport)
    }

    private func isInvalidResponse(_ error: HTTPTransportError?) -> Bool {
        guard case .invalidResponse = error else { return false }
        return true
    }

    private func isConnectionFailed(_ error: HTTPTransportError?) -> Bool {
        guard case .connectionFailed = error else { return false }
        return true
    }

    @Test func lengthsUpToTheLimitAreAccepted() async throws {
        #expect(try await failureOf("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", limit: 10) == nil)
        #expect(try await failureOf("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890", limit: 10) == .responseTooLarge(limit: 10))
        #expect(try await failureOf("HTTP/1.1 200 OK\r\n\r\n0123456789", limit: 10) == nil)
        #expect(try await failureOf("HTTP/1.1 200 OK\r\n\r\n01234567890", limit: 10) == .responseTooLarge(limit: 10))
    }

    @Test func aLargeContentLengthIsRefusedBeforeTheBody() async throws {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
            connection.waitForEnd()
        }
        defer { server.stop() }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        #expect(await failure(of: get(server), with: transport) == .responseTooLarge(limit: 1 << 20))
    }

    @Test func endlessChunksAreRefused() async throws {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "400\r\n" + String(repeating: "x", count: 1024) + "\r\n"
            while connection.send(chunk) {}
        }
        defer { server.stop() }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        #expect(await failure(of: get(server, limit: 100_000), with: transport) == .responseTooLarge(limit: 100_000))
    }

    @Test func endlessHeadersAndInterimAnswersAreRefused() async throws {
        for line in ["X-Filler: \(String(repeating: "x", count: 200))\r\n", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"] {
            let server = try LoopbackServer { connection in
                _ = connection.readRequest()
                connection.send("HTTP/1.1 103 Early Hints\r\n")
                if line.hasPrefix("HTTP") { connection.send("\r\n") }
                while connection.send(line) {}
            }
            defer { server.stop() }
            let transport = try makeTransport()
            defer { transport.shutdown() }
            let error = await failure(of: get(server), with: transport)
            guard case .responseTooLarge = error else {
                Issue.record("expected responseTooLarge, got \(String(describing: error))")
                continue
            }
        }
    }

    @Test func endlessTrailersAreRefused() async throws {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
            while connection.send("X-Filler: \(String(repeating: "x", count: 200))\r\n") {}
        }
        defer { server.stop() }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        let error = await failure(of: get(server), with: transport)
        guard case .responseTooLarge = error else {
            Issue.record("expected responseTooLarge, got \(String(describing: error))")
            return
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "<html>not HTTP</html>", "SSH-2.0-OpenSSH_9.2\r\n",
    ]) func answersThatAreCutOffOrNotHTTP(answer: String) async throws {
        #expect(isInvalidResponse(try await failureOf(answer)), "\(answer)")
    }

    @Test(arguments: ["gzip", "deflate", "br", "zstd", "gzip, gzip"]) func aCompressedAnswerIsNeverUnpacked(coding: String) async throws {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.answer("no compressed data", headers: "Content-Encoding: \(coding)\r\n")
        }
        defer { server.stop() }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        // Whoever unpacked would have found a fault in it.
        #expect(try await transport.send(get(server)).body == Array("no compressed data".utf8))
    }

    @Test func aResetInTheMiddleIsAnInvalidAnswer() async throws {
        #expect(isInvalidResponse(try await failureOf("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc", resets: true)))
    }

    @Test func aConnectionThatEndsBeforeTheAnswerIsAFailedConnection() async throws {
        #expect(isConnectionFailed(try await failureOf("")))
        #expect(isConnectionFailed(try await failureOf("", resets: true)))
    }

    @Test func aRefusedConnectionIsAFailedConnection() async throws {
        let server = try LoopbackServer { _ in }
        server.stop()
        let transport = try makeTransport()
        defer { transport.shutdown() }
        #expect(isConnectionFailed(await failure(of: get(server), with: transport)))
    }

    @Test func anUnknownNameIsReportedAsThat() async throws {
        let transport = try makeTransport()
        defer { transport.shutdown() }
        let host = "does-not-exist.invalid"
        let request = HTTPRequest(.get, .service(try Endpoint(host)), path: "/", deadline: .after(.seconds(100)))
        #expect(await failure(of: request, with: transport) == .nameNotResolved(host: host))
    }
}
