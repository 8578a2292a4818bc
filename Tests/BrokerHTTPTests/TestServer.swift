import BrokerListeners
import BrokerConfiguration
import Glibc
import InMemoryLogging
import Logging
import PlainText
import ServiceLifecycle
import Testing

@testable import BrokerHTTP

/// A front end on a loopback port that the system chose, running for as long as the test's closure.
struct TestServer {
    let port: Int
    let addresses: [ListeningAddress]
    let log: InMemoryLogHandler

    static func options(_ change: (inout HTTPFrontEndOptions) -> Void = { _ in }) -> HTTPFrontEndOptions {
        var options = HTTPFrontEndOptions(
            http: HostAndPort(host: "127.0.0.1", port: 0), unix: nil, profile: .compatible, bodyLimit: 1 << 20, headerTimeout: .seconds(10),
            bodyTimeout: .seconds(30), idleTimeout: .seconds(60), connectionLimit: 512, drainTimeout: .seconds(20))
        change(&options)
        return options
    }

    /// Starts, waits until every listener listens, runs `body` and stops.
    static func run<Value: Sendable>(
        _ engine: any RequestEngine = ScriptedEngine(), options: HTTPFrontEndOptions = TestServer.options(),
        _ body: (TestServer) async throws -> Value
    ) async throws -> Value {
        let (addresses, continuation) = AsyncStream<ListeningAddress>.makeStream()
        let handler = InMemoryLogHandler()
        let logger = Logger(label: "test") { _ in handler }
        let frontEnd = HTTPFrontEnd(requestEngine: engine, options: options, logger: logger) { continuation.yield($0) }
        let running = Task {
            defer { continuation.finish() }
            try await frontEnd.run()
        }
        defer { running.cancel() }
        var found: [ListeningAddress] = []
        let expected = (options.http == nil ? 0 : 1) + (options.unix == nil ? 0 : 1)
        for await address in addresses {
            found.append(address)
            if found.count == expected { break }
        }
        var port = 0
        for case .tcp(let bound) in found { port = bound.port }
        if found.count < max(expected, 1) { try await running.value }
        let value = try await body(TestServer(port: port, addresses: found, log: handler))
        running.cancel()
        _ = await running.result
        return value
    }

    /// Sends one request on a connection of its own and reads the answer.
    func ask(_ text: String, hasBody: Bool = true) async throws -> RawAnswer {
        let port = port
        return try await blocking {
            let client = try RawClient.connect(port: port)
            client.send(text)
            return try client.receiveAnswer(hasBody: hasBody)
        }
    }

    func post(_ path: String, _ body: String) async throws -> RawAnswer { try await ask(request("POST", path, body: body)) }

    /// Waits for a log line that `condition` accepts, at most some seconds.
    func logLine(where condition: (InMemoryLogHandler.Entry) -> Bool) async throws -> InMemoryLogHandler.Entry {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            if let entry = log.entries.first(where: condition) { return entry }
            await Task.yield()
        }
        throw RawClient.Failure(reason: "no such log line among \(log.entries)")
    }

    /// Resident memory of this process in bytes, the server's included.
    static func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 256)
        guard fgets(&buffer, 256, file) != nil else { return 0 }
        let fields = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self).split(separator: " ")
        return (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
