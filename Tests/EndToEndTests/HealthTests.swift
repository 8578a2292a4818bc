import Foundation
import Glibc
import Testing

/// `healthcheck`, what the service manager is told, and what `/readyz` says while services fail. C24 of the attacks.
@Suite struct HealthTests {
    private func healthcheck(_ broker: Broker, _ options: String...) throws -> Program.Result {
        try Program.run(["healthcheck", "--set", "server.http=127.0.0.1:\(broker.port)"] + options)
    }

    private func key(_ azure: LocalAzure, _ name: String = "k") throws {
        let jwk = ["kty": "oct-HSM", "k": Data(repeating: 7, count: 32).base64URL]
        #expect(try azure.importKey(name, at: LocalAzure.managedHSM, jwk, policy: LocalAzure.policy()).status == 200)
    }

    @Test("a sidecar that is well is alive and ready, over TCP and over its socket") func well() throws {
        let azure = try LocalAzure()
        let socket = azure.scratch.path + "/s"
        let broker = try azure.serve(["key-stores.use=mhsm", "server.unix=\(socket)"])
        let alive = try healthcheck(broker)
        #expect(alive.status == 0 && alive.text.isEmpty, "\(alive.errors)")
        let ready = try healthcheck(broker, "--ready", "--json")
        #expect(ready.status == 0 && ready.object["ready"] as? Bool == true && ready.object["status"] as? Int == 200, "\(ready.text)")
        let over = try Program.run(
            ["healthcheck", "--ready", "--verbose", "--set", "server.http=", "--set", "server.unix=\(socket)"])
        #expect(over.status == 0 && over.text.contains("unix:\(socket) answered 200"), "\(over.text)\(over.errors)")
        #expect(broker.program.stop() == 0)
        let gone = try healthcheck(broker)
        #expect(gone.status == 2 && gone.errors.contains("does not answer") && gone.errors.contains("next:"), "\(gone.errors)")
    }

    @Test("a sidecar whose services are away is alive and not ready, and says why") func notReady() throws {
        let azure = try LocalAzure()
        let broker = try azure.serve(["key-stores.use=mhsm", "tls.connect-to=::127.0.0.1:1"])
        #expect(try healthcheck(broker).status == 0)
        let ready = try healthcheck(broker, "--ready", "--json")
        #expect(ready.status == 1, "\(ready.text)")
        let reasons = ready.object["reasons"] as? [String] ?? []
        #expect(reasons.contains { $0.hasPrefix("mhsm: ") } && reasons.contains { $0.hasPrefix("maa: ") }, "\(reasons)")
        #expect((ready.object["error"] as? [String: Any])?["exit_status"] as? Int == 1)
    }

    @Test(
        "C24: a service's single 500, 429 or 503 fails no release",
        arguments: [
            "keys.release=500*1", "keys.release=429,1*1", "keys.release=503,1*1", "keys.release=503*1", "maa.attest=500*1",
            "maa.attest=429*1", "maa.certificates=503*1",
        ]) func single(fault: String) throws
    {
        let azure = try LocalAzure(["--fault", fault])
        try key(azure)
        let broker = try azure.serve(["key-stores.use=mhsm"])
        let release = try broker.release("k", at: LocalAzure.managedHSM)
        #expect(release.status == 200, "\(release.answer)")
    }

    @Test("C24: a service that goes away is noticed within five seconds of a failing request, and its return as well") func noticed()
        async throws
    {
        let azure = try LocalAzure()
        try key(azure)
        let scratch = try Scratch()
        defer { scratch.remove() }
        let gate = try TCPGate(to: azure.tlsPort)
        let broker = try azure.serve([
            "key-stores.use=mhsm", "tls.connect-to=169.254.169.254:80:127.0.0.1:\(azure.metadataPort),::127.0.0.1:\(gate.port)",
        ])
        #expect(try broker.release("k", at: LocalAzure.managedHSM).status == 200)
        #expect(try broker.get("/readyz").status == 200)
        gate.close()
        let start = ContinuousClock.now
        let failed = try broker.release("k", at: LocalAzure.managedHSM, ["maa_endpoint": LocalAzure.authority])
        #expect(failed.status == 403 && failed.answer["retryable"] as? Bool == true, "\(failed.answer)")
        let failedAt = ContinuousClock.now
        let readiness = try broker.get("/readyz")
        #expect(readiness.status == 503)
        let upstreams = readiness.object["upstreams"] as? [[String: Any]] ?? []
        #expect(
            upstreams.contains { $0["name"] as? String == LocalAzure.managedHSM && $0["purpose"] as? String == "key_store" }, "\(upstreams)"
        )
        _ = try broker.program.wait(for: /(not ready: )/)
        #expect(failedAt.duration(to: .now) < .seconds(5) && start < failedAt)
        try gate.open()
        // Refused for as long as the circuit is open, and then served.
        while try broker.release("k", at: LocalAzure.managedHSM).status != 200 { try await Task.sleep(for: .milliseconds(200)) }
        _ = try broker.program.wait(for: /(ready again)/)
        while try broker.get("/readyz").status != 200 { try await Task.sleep(for: .milliseconds(200)) }
    }

    @Test("the service manager is told when it listens, that it is alive, and when it stops") func notified() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let manager = try ServiceManager(scratch.path + "/notify")
        let broker = try Broker(
            [
                "serve", "--set", "server.http=127.0.0.1:0", "--set", "evidence.use=fixture", "--set",
                "evidence.fixture.directory=\(scratch.path)/fixture", "--set", "key-stores.use=akv", "--set",
                "key-stores.akv.endpoint=contoso.vault.azure.net", "--set", "verifier.maa.endpoint=demo.neu.attest.azure.net", "--set",
                "tls.connect-to=::127.0.0.1:1", "--set", "identity.use=none",
            ], environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "100000"])
        var said: [String] = []
        while said.count(where: { $0 == "WATCHDOG=1" }) < 3 || !said.contains("READY=1")
            || !said.contains(where: { $0.hasPrefix("STATUS=not ready: ") })
        { said.append(try manager.next()) }
        #expect(broker.program.stop() == 0)
        while said.last != "STOPPING=1" { said.append(try manager.next()) }
        // A name that begins with @ is abstract.
        let abstract = try ServiceManager("@broker-\(UUID().uuidString)")
        let other = try Broker(
            [
                "serve", "--set", "server.http=127.0.0.1:0", "--set", "evidence.use=fixture", "--set",
                "evidence.fixture.directory=\(scratch.path)/fixture", "--set", "key-stores.use=akv", "--set",
                "verifier.maa.endpoint=demo.neu.attest.azure.net", "--set", "identity.use=none",
            ], environment: ["NOTIFY_SOCKET": abstract.path, "WATCHDOG_PID": "1", "WATCHDOG_USEC": "1000"])
        while try abstract.next() != "READY=1" {}
        #expect(other.program.stop() == 0)
    }
}

/// A datagram socket as systemd's.
private final class ServiceManager {
    let path: String
    private let descriptor: Int32

    init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = path.hasPrefix("@") ? [0] + Array(path.utf8.dropFirst()) : Array(path.utf8) + [0]
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        try #require(status == 0)
    }

    func next() throws -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        try #require(count > 0, "nothing was said for a minute")
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    deinit { close(descriptor) }
}

/// A way to a port that can be shut: whoever comes then is refused, and who is inside is thrown out.
private final class TCPGate {
    private let target: Int
    private(set) var port = 0
    private var proxy: RunningProgram

    init(to target: Int) throws {
        self.target = target
        proxy = try Self.start(target, 0)
        port = Int(try proxy.wait(for: /port=(\d+)/)) ?? 0
    }

    // Python keeps the signal mask of the test's threads, in which SIGTERM is blocked.
    func close() { proxy.stop(SIGKILL) }

    func open() throws {
        proxy = try Self.start(target, port)
        _ = try proxy.wait(for: /port=(\d+)/)
    }

    private static func start(_ target: Int, _ port: Int) throws -> RunningProgram {
        let script = """
            import asyncio, sys
            async def pipe(reader, writer):
                try:
                    while data := await reader.read(65536):
                        writer.write(data)
                        await writer.drain()
                except OSError:
                    pass
                finally:
                    writer.close()
            async def main():
                async def serve(reader, writer):
                    there, back = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
                    await asyncio.gather(pipe(reader, back), pipe(there, writer))
                server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[2]))
                print("port=%d" % server.sockets[0].getsockname()[1], flush=True)
                await server.serve_forever()
            asyncio.run(main())
            """
        return try RunningProgram(["-c", script, "\(target)", "\(port)"], executable: URL(filePath: "/usr/bin/python3"))
    }
}
