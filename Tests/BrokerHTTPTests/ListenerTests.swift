import BrokerConfiguration
import BrokerCore
import BrokerEngine
import BrokerListeners
import Glibc
import InMemoryLogging
import Logging
import NIOCore
import NIOEmbedded
import PlainText
import SecureMemory
import Testing

@testable import BrokerHTTP

/// Sockets, files of sockets, log lines, and the memory of a released key.
@Suite(.timeLimit(.minutes(5))) struct ListenerTests {
    /// A new directory under the system's place for such, short enough for a socket's path.
    private func temporaryDirectory() throws -> String {
        var template = Array("/tmp/broker-http-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw RawClient.Failure(reason: "mkdtemp") }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    @Test func aUnixSocketServesRestrictsAndIsRemoved() async throws {
        let directory = try temporaryDirectory()
        defer { rmdir(directory) }
        let path = directory + "/broker.sock"
        let options = TestServer.options {
            $0.http = nil
            $0.unix = path
            $0.socketFile.mode = 0o600
        }
        try await TestServer.run(options: options) { server in
            #expect(server.addresses == [.unix(path: path)])
            var information = stat()
            #expect(stat(path, &information) == 0)
            #expect(information.st_mode & 0o777 == 0o600)
            let answer = try await blocking {
                let client = try RawClient.connect(path: path)
                // DNS cannot point at a file, so any name will do.
                client.send("POST /attest/raw HTTP/1.1\r\nHost: broker\r\nContent-Length: 27\r\n\r\n{\"runtime_data\":\"aGVsbG8=\"}")
                return try client.receiveAnswer()
            }
            #expect(answer.status == 200)
        }
        #expect(access(path, F_OK) != 0)
    }

    @Test func bothListenersServe() async throws {
        let directory = try temporaryDirectory()
        defer { rmdir(directory) }
        let path = directory + "/broker.sock"
        try await TestServer.run(options: TestServer.options { $0.unix = path }) { server in
            #expect(server.addresses.count == 2)
            #expect(try await server.ask(request("GET", "/status")).status == 200)
            try await blocking {
                let client = try RawClient.connect(path: path)
                client.send(request("GET", "/status"))
                #expect(try client.receiveAnswer().status == 200)
            }
        }
    }

    /// Bound, but nobody listens.
    private func leaveSocketBehind(_ path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafeBytes(of: &address) { bytes in
            bytes.baseAddress.map { bind(descriptor, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count)) == 0 }
        }
        close(descriptor)
        try #require(isBound == true && access(path, F_OK) == 0)
    }

    @Test func aSocketLeftBehindIsReplacedAndALiveOneIsNot() async throws {
        let directory = try temporaryDirectory()
        defer { rmdir(directory) }
        let path = directory + "/broker.sock"
        let options = TestServer.options {
            $0.http = nil
            $0.unix = path
        }
        try leaveSocketBehind(path)
        try await TestServer.run(options: options) { _ in
            // Now somebody does.
            await #expect(throws: BrokerError.self) { try await TestServer.run(options: options) { _ in } }
            let answer = try await blocking {
                let client = try RawClient.connect(path: path)
                client.send(request("GET", "/status"))
                return try client.receiveAnswer()
            }
            #expect(answer.status == 200)
        }
    }

    @Test("C16: of many that start at once on one path exactly one listens, and the others say so") func oneOwner() async throws {
        enum Outcome: Equatable { case listening, refused(String), ended }
        let directory = try SocketDirectory()
        let path = directory.socket
        let options = TestServer.options {
            $0.http = nil
            $0.unix = path
        }
        for round in 0..<20 {
            // In every other round the socket of a dead process is in the way.
            if round % 2 == 1 { try leaveSocketBehind(path) }
            let (outcomes, continuation) = AsyncStream<Outcome>.makeStream()
            let runs = (0..<16).map { _ in
                Task {
                    let frontEnd = HTTPFrontEnd(
                        requestEngine: ScriptedEngine(), options: options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                    ) { _ in continuation.yield(.listening) }
                    do { try await frontEnd.run() } catch let error as BrokerError {
                        continuation.yield(.refused(error.message))
                    } catch { continuation.yield(.ended) }
                }
            }
            var found: [Outcome] = []
            for await outcome in outcomes {
                found.append(outcome)
                if found.count == runs.count { break }
            }
            #expect(found.count { $0 == .listening } == 1)
            #expect(found.count { $0 == .refused("server.unix: another process listens on \(path)") } == runs.count - 1)
            let status = try await blocking {
                let client = try RawClient.connect(path: path)
                client.send(request("GET", "/status"))
                return try client.receiveAnswer().status
            }
            #expect(status == 200)
            for run in runs { run.cancel() }
            for run in runs { await run.value }
            #expect(access(path, F_OK) != 0 && access(path + ".lock", F_OK) != 0)
        }
    }

    @Test func aFileIsNotReplaced() async throws {
        let directory = try temporaryDirectory()
        let path = directory + "/data"
        defer {
            unlink(path)
            rmdir(directory)
        }
        fclose(fopen(path, "w"))
        let options = TestServer.options {
            $0.http = nil
            $0.unix = path
        }
        await #expect(throws: BrokerError.self) { try await TestServer.run(options: options) { _ in } }
        #expect(access(path, F_OK) == 0)
    }

    private func startUpError(_ change: (inout HTTPFrontEndOptions) -> Void) async throws -> BrokerError {
        do { try await TestServer.run(options: TestServer.options(change)) { _ in } } catch let error as BrokerError { return error }
        throw RawClient.Failure(reason: "it started")
    }

    @Test func whatCannotBeListenedOnIsSaidSo() async throws {
        try await TestServer.run { server in
            let error = try await startUpError { $0.http = .init(host: "127.0.0.1", port: server.port) }
            #expect(error.code == .misconfigured && error.stage == .startup)
            #expect(error.message == "cannot listen on 127.0.0.1:\(server.port): Address already in use")
        }
        let long = try await startUpError {
            $0.http = nil
            $0.unix = "/tmp/" + String(repeating: "a", count: 200)
        }
        #expect(long.message.hasSuffix("longer than 107 bytes"))
        let none = try await startUpError { $0.http = nil }
        #expect(none.code == .misconfigured)
        let unknown = try await startUpError { $0.http = .init(host: "no-such-host.invalid", port: 0) }
        #expect(unknown.message.contains("no-such-host.invalid"))
    }

    @Test func oneLogLineForEachRequest() async throws {
        let canary = "canary-7a31"
        let error = BrokerError(
            .releaseDenied, at: .release, "the policy says no\nforged line", upstream: .init(status: 403, body: Array(canary.utf8)))
        try await TestServer.run(ScriptedEngine(failing: error)) { server in
            _ = try await server.ask(
                request(
                    "POST", "/key/release?\(canary)", body: #"{"kid":"\#(canary)","access_token":"\#(canary)"}"#,
                    headers: ["X-Request-Id: r-1", "X-Other: \(canary)"]))
            _ = try await server.ask("\(canary.uppercased()) /\(canary) HTTP/1.1\r\nHost: localhost\r\n\r\n")
            _ = try await server.ask(request("PROPFIND", "/\(canary)", headers: ["X-Request-Id: r-2"]))
            let first = try await server.logLine { $0.metadata["request_id"] == "r-1" }
            #expect(first.level == .info)
            #expect(first.metadata["method"] == "POST")
            #expect(first.metadata["route"] == "/key/release")
            #expect(first.metadata["status"] == "403")
            #expect(first.metadata["code"] == "releaseDenied")
            #expect(first.metadata["stage"] == "release")
            #expect(first.metadata["error"] == "the policy says no forged line")
            #expect(first.metadata["duration_ms"] != nil)
            let other = try await server.logLine { $0.metadata["request_id"] == "r-2" }
            #expect(other.metadata["method"] == "other")
            #expect(other.metadata["route"] == "unmatched")
            #expect(other.metadata["status"] == "404")
            let lines = server.log.entries.filter { "\($0.message)" == "request" }
            #expect(lines.count == 3)
            #expect(!server.log.entries.contains { "\($0)".lowercased().contains(canary) })
        }
    }

    @Test func theKeyIsEscapedByteByByteAndOverwrittenOnceSent() async throws {
        let jwk = Array("{\"k\":\"a\\\"\u{1}é\"}".utf8)
        let key = ReleasedKey(
            keyID: "x",
            jwk: SecretBytes(capacity: jwk.count) { memory in
                memory.copyBytes(from: jwk)
                return jwk.count
            })
        let body = ReleasedKeyBody.encode(key)
        #expect(String(buffer: body) == "{\"key\":\"{\\\"k\\\":\\\"a\\\\\\\"\\u0001é\\\"}\"}")

        let channel = NIOAsyncTestingChannel()
        let connection = HTTPConnection(channel: channel, requests: AsyncStream { $0.finish() })
        var reply = Reply.json(200, body)
        reply.isSecret = true
        try await connection.send(reply)
        // This copy shares its memory with what was sent.
        #expect(body.readableBytesView.allSatisfy { $0 == 0 })
        _ = try? await channel.finish()

        // Also where it could not be sent.
        let unsent = ReleasedKeyBody.encode(key)
        reply.body = unsent
        await #expect(throws: (any Error).self) { try await connection.send(reply) }
        #expect(unsent.readableBytesView.allSatisfy { $0 == 0 })
    }
}
