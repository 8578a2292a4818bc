import BrokerConfiguration
import BrokerListeners
import InMemoryLogging
import Logging
import PlainText
import ServiceLifecycleTestKit
import Testing

@testable import BrokerHTTP

/// What happens on SIGTERM, which the service group turns into a graceful shutdown.
@Suite(.timeLimit(.minutes(5))) struct ShutdownTests {
    private struct Drain {
        var answer: RawAnswer?
        var duration = Duration.zero
        var log = InMemoryLogHandler()
    }

    /// Starts a release, begins a graceful shutdown while it runs, and opens its door if asked.
    private func drain(after timeout: Duration, opening: Bool, unixPath: String? = nil) async throws -> Drain {
        let door = Latch()
        let started = Latch()
        var script = ScriptedEngine.Script()
        script.pause = {
            started.open()
            await door.wait()
        }
        let engine = ScriptedEngine(script)
        var result = Drain()
        let handler = result.log
        try await testGracefulShutdown { trigger in
            let (ports, continuation) = AsyncStream<Int>.makeStream()
            let frontEnd = HTTPFrontEnd(
                requestEngine: engine, options: TestServer.options { $0.drainTimeout = timeout },
                logger: Logger(label: "test") { _ in handler }
            ) { address in if case .tcp(let address) = address { continuation.yield(address.port) } }
            async let running: Void = frontEnd.run()
            var port = 0
            for await bound in ports {
                port = bound
                break
            }
            let bound = port
            let (client, idle) = try await blocking {
                let client = try RawClient.connect(port: bound)
                client.send(request("POST", "/key/release", body: #"{"kid":"k"}"#))
                let idle = try RawClient.connect(port: bound)
                idle.send(request("GET", "/status"))
                #expect(try idle.receiveAnswer().status == 200)
                return (client, idle)
            }
            await started.wait()
            let start = ContinuousClock.now
            trigger.triggerGracefulShutdown()
            // Idle connections end at once, and nobody new gets in.
            try await blocking {
                #expect(idle.receive()?.isEmpty == true)
                #expect(throws: RawClient.Failure.self) { try RawClient.connect(port: bound) }
            }
            if opening {
                door.open()
                result.answer = try await blocking { try client.receiveAnswer() }
            }
            try await blocking { #expect(client.receiveToEnd().map(\.isEmpty) ?? true) }
            try await running
            result.duration = start.duration(to: .now)
        }
        return result
    }

    @Test func requestsInFlightFinish() async throws {
        let drain = try await drain(after: .seconds(120), opening: true)
        #expect(drain.answer?.status == 200)
        #expect(drain.answer?.header("connection") == "close")
        #expect(drain.duration < .seconds(60))
        #expect(!drain.log.entries.contains { $0.level >= .warning })
    }

    @Test func aPeerThatHasItsAnswerIsNotWaitedFor() async throws {
        try await testGracefulShutdown { trigger in
            let (ports, continuation) = AsyncStream<Int>.makeStream()
            let frontEnd = HTTPFrontEnd(
                requestEngine: ScriptedEngine(), options: TestServer.options { $0.drainTimeout = .seconds(120) },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ) { address in if case .tcp(let address) = address { continuation.yield(address.port) } }
            async let running: Void = frontEnd.run()
            var port = 0
            for await bound in ports {
                port = bound
                break
            }
            let bound = port
            // Announces a body that is too long, gets its answer, and then neither sends nor goes.
            let client = try await blocking {
                let client = try RawClient.connect(port: bound)
                client.send("POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n")
                #expect(try client.receiveAnswer().status == 413)
                #expect(client.receive()?.isEmpty == true)
                return client
            }
            let start = ContinuousClock.now
            trigger.triggerGracefulShutdown()
            try await running
            #expect(start.duration(to: .now) < .seconds(60))
            withExtendedLifetime(client) {}
        }
    }

    @Test func theDrainHasAnEnd() async throws {
        let drain = try await drain(after: .milliseconds(300), opening: false)
        #expect(drain.answer == nil)
        #expect(drain.duration >= .milliseconds(300))
        #expect(drain.duration < .seconds(60))
        #expect(drain.log.entries.contains { $0.level == .warning && "\($0.message)".contains("drain timeout") })
    }
}
