import BrokerConfiguration
import Glibc
import StrictJSON
import Testing

@testable import BrokerHTTP

/// What a caller may cost. One after the other, because memory and descriptors of the process are counted.
@Suite(.serialized) struct LimitTests {
    private static let limit = 1 << 20

    /// A valid body of exactly that many bytes.
    private func body(_ count: Int) -> [UInt8] {
        let start = Array(#"{"runtime_data":"aGVsbG8=","x":""#.utf8)
        return start + [UInt8](repeating: UInt8(ascii: "y"), count: count - start.count - 2) + Array(#""}"#.utf8)
    }

    private func tooLarge(_ answer: RawAnswer) throws {
        #expect(answer.status == 413)
        #expect(answer.header("connection") == "close")
        #expect(
            try JSONCursor.parse(answer.body).string("error") == "invalid request format: the request body is longer than 1048576 bytes")
    }

    @Test(arguments: [(limit - 1, 200), (limit, 200), (limit + 1, 413), (2 * limit, 413)]) func theBodyLimitIsExact(
        _ count: Int, _ status: Int
    ) async throws {
        let body = body(count)
        for isChunked in [false, true] {
            let answer = try await TestServer.run { server in
                let port = server.port
                return try await blocking {
                    let client = try RawClient.connect(port: port)
                    let length = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(count)"
                    client.send("POST /attest/raw HTTP/1.1\r\nHost: localhost\r\n\(length)\r\n\r\n")
                    if isChunked { client.send(String(count, radix: 16) + "\r\n") }
                    client.send(body)
                    if isChunked { client.send("\r\n0\r\n\r\n") }
                    return try client.receiveAnswer()
                }
            }
            #expect(answer.status == status)
            if status == 413 { try tooLarge(answer) }
        }
    }

    /// A client that writes all of it before it reads: it must be let, and it must cost nothing.
    @Test(arguments: [false, true]) func threeHundredMebibytesAreThrownAway(_ isChunked: Bool) async throws {
        try await TestServer.run { server in
            let port = server.port
            let block = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
            _ = try await server.ask(request("GET", "/status"))
            let before = TestServer.residentBytes()
            let (answer, peak) = try await blocking {
                let client = try RawClient.connect(port: port)
                let length = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(300 << 20)"
                client.send("POST /attest/raw HTTP/1.1\r\nHost: localhost\r\n\(length)\r\n\r\n")
                var peak = 0
                for _ in 0..<300 {
                    if isChunked { client.send("100000\r\n") }
                    let wasTaken = client.send(block)
                    try #require(wasTaken)
                    if isChunked { client.send("\r\n") }
                    peak = max(peak, TestServer.residentBytes())
                }
                return (try client.receiveAnswer(), peak)
            }
            try tooLarge(answer)
            // A hundredth of this is usual, but other tests run in this process too.
            #expect(peak - before < 64 << 20)
        }
    }

    @Test func thereIsAnEndToThrowingAway() async throws {
        let options = TestServer.options { $0.discardLimit = 4 << 20 }
        try await TestServer.run(options: options) { server in
            let port = server.port
            try await blocking {
                let client = try RawClient.connect(port: port)
                client.send("POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(1 << 30)\r\n\r\n")
                let block = [UInt8](repeating: 0, count: 1 << 20)
                var sent = 0
                while sent < 1000, client.send(block) { sent += 1 }
                #expect(sent < 100)
            }
        }
    }

    @Test func aClientThatWaitsForConsentIsRefusedWithoutItsBody() async throws {
        try await TestServer.run { server in
            let port = server.port
            try await blocking {
                let client = try RawClient.connect(port: port)
                client.send("POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(2 << 20)\r\nExpect: 100-continue\r\n\r\n")
                try self.tooLarge(try client.receiveAnswer())
                #expect(client.receive()?.isEmpty == true)
            }
        }
    }

    @Test func aClientThatWaitsForConsentGetsIt() async throws {
        try await TestServer.run { server in
            let port = server.port
            try await blocking {
                let client = try RawClient.connect(port: port)
                let body = #"{"runtime_data":"aGVsbG8="}"#
                client.send(
                    "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\nExpect: 100-continue\r\n\r\n")
                #expect(try client.receiveAnswer(hasBody: false).status == 100)
                client.send(body)
                #expect(try client.receiveAnswer().status == 200)
                client.send(request("GET", "/status"))
                #expect(try client.receiveAnswer().status == 200)
            }
        }
    }

    @Test(arguments: [
        "GET /status HTTP/1.1\r\nHost: localhost\r\nX-Long: \(String(repeating: "a", count: 1 << 20))\r\n\r\n",
        "GET /status HTTP/1.1\r\nHost: localhost\r\n" + (0..<90).map { "X-\($0): \(String(repeating: "a", count: 200))\r\n" }.joined()
            + "\r\n", "GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /status HTTP/1.1\r\nHost: localhost\r\n" + String(repeating: "A: b\r\n", count: 200) + "\r\n",
    ]) func longHeadsAreRefused(_ text: String) async throws {
        let answer = try await TestServer.run { try await $0.ask(text) }
        #expect(answer.status == 431)
        #expect(answer.header("connection") == "close")
        #expect(try JSONCursor.parse(answer.body).string("code") == "invalidRequest")
    }

    @Test func aHeadWithinTheLimitIsServed() async throws {
        let answer = try await TestServer.run {
            try await $0.ask(request("GET", "/status", headers: ["X-Long: \(String(repeating: "a", count: 15_000))"]))
        }
        #expect(answer.status == 200)
    }

    @Test func allBodiesTogetherAreBounded() async throws {
        let options = TestServer.options { $0.totalBodyLimit = 3 << 19 }
        try await TestServer.run(options: options) { server in
            let port = server.port
            try await blocking {
                let length = 1 << 20
                let head = "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(length)\r\n\r\n"
                let body = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                func almost() throws -> RawClient {
                    let client = try RawClient.connect(port: port)
                    client.send(head)
                    client.send(Array(body.dropLast()))
                    return client
                }
                // Two of them are more than fits, whichever comes second; where both are read at once, both may be refused.
                var isOneKept = false
                for _ in 0..<20 where !isOneKept {
                    let first = try almost()
                    let second = try almost()
                    while !first.hasInput(withinMilliseconds: 10), !second.hasInput(withinMilliseconds: 10) {}
                    let (refused, kept) = first.hasInput(withinMilliseconds: 0) ? (first, second) : (second, first)
                    let answer = try refused.receiveAnswer()
                    #expect(answer.status == 429)
                    #expect(answer.header("retry-after") == "1")
                    #expect(try JSONCursor.parse(answer.body).boolean("retryable"))
                    kept.send([UInt8(ascii: "a")])
                    isOneKept = try kept.receiveAnswer().status == 400
                }
                #expect(isOneKept)
                // Now there is room again.
                let third = try almost()
                third.send([UInt8(ascii: "a")])
                #expect(try third.receiveAnswer().status == 400)
            }
        }
    }

    @Test(.enabled(if: LimitTests.raiseDescriptorLimit(to: 2048), "too few file descriptors allowed")) func connectionsBeyondTheLimitWait()
        async throws
    {
        try await TestServer.run { server in
            let port = server.port
            try await blocking {
                let clients = try (0..<600).map { _ in
                    let client = try RawClient.connect(port: port)
                    client.send(request("GET", "/status"))
                    return client
                }
                // The first 512 are accepted in order and keep their connections.
                for client in clients[..<512] { #expect(try client.receiveAnswer().status == 200) }
                for client in clients[512...] { #expect(!client.hasInput(withinMilliseconds: 1)) }
                for client in clients[..<100] { client.finishSending() }
                for client in clients[512...] { #expect(try client.receiveAnswer().status == 200) }
            }
        }
    }

    private static func raiseDescriptorLimit(to wanted: rlim_t) -> Bool {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return false }
        if limit.rlim_cur >= wanted { return true }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        return setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 && limit.rlim_cur >= wanted
    }
}
