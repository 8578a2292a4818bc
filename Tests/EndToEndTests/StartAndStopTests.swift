import Foundation
import Testing

/// Files that hang and signals that must be heard all the same.
@Suite(.serialized, .timeLimit(.minutes(5))) struct StartAndStopTests {
    private func fifo(_ scratch: Scratch) throws -> String {
        let path = scratch.directory.appending(path: "fifo-\(UUID().uuidString)").path
        try #require(mkfifo(path, 0o600) == 0)
        return path
    }

    @Test("C2: a FIFO as federated token file holds up nothing, with two stores") func federatedTokenFIFO() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let broker = try azure.serve(
            ["key-stores.use=akv,mhsm", "identity.use=workload-identity"],
            environment: [
                "AZURE_CLIENT_ID": "4d1f", "AZURE_TENANT_ID": "12345678-1234-1234-1234-123456789012",
                "AZURE_FEDERATED_TOKEN_FILE": try fifo(azure.scratch),
            ])
        for _ in 0..<3 {
            let refused = try broker.release("key", at: LocalAzure.vault)
            #expect(refused.code == "identityFailed" && refused.error.contains("is not a regular file"), "\(refused.answer)")
        }
        #expect(try broker.get("/status").status == 200)
        #expect(broker.program.stop() == 0)
    }

    @Test("C2: a FIFO as tls.ca-file ends the start with a reason") func authorityFIFO() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let result = try Program.run(["serve", "--set", "server.http=127.0.0.1:0", "--set", "tls.ca-file=\(try fifo(scratch))"])
        #expect(result.status == 78 && result.errors.contains("not a file"), "\(result.errors)")
    }

    @Test("C2: a second signal ends the program at once, whatever hangs") func secondSignal() throws {
        let broker = try Broker(
            ["serve"],
            environment: [
                "BROKER_SERVER_HTTP": "127.0.0.1:0", "BROKER_EVIDENCE_USE": "snp", "BROKER_SERVER_DRAIN_TIMEOUT": "600s",
                "BROKER_SERVER_BODY_TIMEOUT": "600s",
            ])
        // A request whose body never comes; the interim answer says that the server has its head.
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(client) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(broker.port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafeBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { connect(client, $0.baseAddress, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        try #require(connected == 0)
        let head = "POST /key/release HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"
        try #require(send(client, head, head.utf8.count, 0) == head.utf8.count)
        var interim = [UInt8](repeating: 0, count: 64)
        try #require(recv(client, &interim, interim.count, 0) > 0)
        // Two different ones: the kernel keeps only one of a kind pending.
        kill(broker.program.identifier, SIGINT)
        let status = broker.program.stop(SIGTERM)
        #expect([128 + SIGINT, 128 + SIGTERM].contains(status), "\(status): \(broker.program.output)")
    }

    @Test("a storm of SIGHUP costs no release, and a configuration that became invalid meanwhile is not read") func hangUps() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        #expect(try azure.importKey("k", at: LocalAzure.managedHSM, SampleKeys.oct(32), policy: LocalAzure.policy()).status == 200)
        let broker = try azure.serve(["key-stores.use=mhsm"])
        try azure.scratch.write("broker.json", "{")
        for round in 0..<4 {
            for _ in 0..<250 { kill(broker.program.identifier, SIGHUP) }
            let release = try broker.release("k")
            #expect(release.status == 200, "\(round): \(release.answer)")
        }
        try broker.program.wait(for: "SIGHUP: release sessions ended")
        #expect(broker.program.isRunning && broker.program.stop() == 0)
    }

    @Test("C14: SIGHUP opens a log file anew that was moved away") func movedLog() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let (socket, log) = (scratch.path + "/s", scratch.path + "/log")
        let running = try RunningProgram([
            "serve", "--set", "server.http=", "--set", "server.unix=\(socket)", "--set", "log.file=\(log)", "--set", "evidence.use=fixture",
            "--set", "evidence.fixture.directory=\(scratch.path)/fixture",
        ])
        while running.isRunning, !FileManager.default.fileExists(atPath: socket) { await Task.yield() }
        try FileManager.default.moveItem(atPath: log, toPath: log + ".1")
        kill(running.identifier, SIGHUP)
        while running.isRunning, !FileManager.default.fileExists(atPath: log) { await Task.yield() }
        #expect(running.stop() == 0)
        #expect(try String(contentsOfFile: log, encoding: .utf8).contains("stopped"))
    }

    @Test("C15: config check --json prints its problems as JSON, and ends with 78") func problemsAsJSON() throws {
        let result = try Program.run(["config", "check", "--json", "--set", "server.release-limit=0", "--set", "no.such=1"])
        #expect(result.status == 78)
        #expect(result.object["valid"] as? Bool == false)
        let problems = result.object["problems"] as? [[String: Any]] ?? []
        #expect(problems.map { $0["path"] as? String } == ["server.release-limit", "no.such"])
        #expect(problems.allSatisfy { $0["source"] as? String == "option --set" && ($0["message"] as? String)?.isEmpty == false })
        let unread = try Program.run(["config", "check", "--json", "--config", "/no/such/file"])
        #expect(unread.status == 78 && (unread.object["problems"] as? [Any])?.count == 1)
    }
}
