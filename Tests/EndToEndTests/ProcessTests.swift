import Foundation
import Testing

@testable import BrokerApp

/// What the program makes of the process that it is started in. C18, C20 and C22 of the attacks.
@Suite struct ProcessTests {
    private func shell(_ script: String) throws -> Program.Result {
        try Program.run(["-c", script, Program.executable.path], executable: URL(filePath: "/bin/sh"))
    }

    @Test("C18: closed standard streams are /dev/null before anything is opened") func closedStreams() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let socket = scratch.path + "/s"
        let arguments = [
            "serve", "--set", "server.http=", "--set", "server.unix=\(socket)", "--set", "log.file=\(scratch.path)/log", "--set",
            "evidence.use=fixture", "--set", "key-stores.use=akv", "--set", "key-stores.akv.endpoint=demo.vault.azure.net", "--set",
            "verifier.maa.endpoint=demo.attest.azure.net",
        ]
        let running = try RunningProgram(
            ["-c", "exec \"$0\" \"$@\" <&- >&- 2>&-", Program.executable.path] + arguments, executable: URL(filePath: "/bin/sh"))
        while running.isRunning, !FileManager.default.fileExists(atPath: socket) { await Task.yield() }
        let names = try [0, 1, 2].map { try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(running.identifier)/fd/\($0)") }
        #expect(names == ["/dev/null", "/dev/null", "/dev/null"])
        #expect(running.stop() == 0)
    }

    @Test("C18: a command with closed standard streams ends as it would") func closedStreamsOfACommand() throws {
        #expect(try shell("exec \"$0\" plugins list <&- >&- 2>&-").status == 0)
        #expect(try shell("exec \"$0\" serve --set x.y=z <&- >&- 2>&-").status == 78)
    }

    @Test(
        "a root without /dev needs none while the standard streams are open, and says so where one is closed",
        .enabled(if: geteuid() == 0, "only root can hide /dev")) func withoutDevices() throws
    {
        func run(_ redirection: String) throws -> Program.Result {
            let script = "mount -t tmpfs none /dev && exec \"$0\" plugins list \(redirection)"
            return try Program.run(
                ["--mount", "/bin/sh", "-c", script, Program.executable.path], executable: URL(filePath: "/usr/bin/unshare"))
        }
        let open = try run("")
        #expect(open.status == 0 && open.text.contains("snp"), "\(open.errors)")
        let closed = try run("<&-")
        #expect(closed.status == 78)
        #expect(closed.errors.contains("/dev/null cannot be opened") && closed.errors.contains("next:"), "\(closed.errors)")
    }

    @Test("C20: a lost command line is no request for help") func lostCommandLine() throws {
        let failure = try #require(throws: CommandFailure.self) { try ProgramArguments.checked([]) }
        #expect(failure.status == .configuration)
        #expect(failure.message.contains("command line is lost"))
        #expect(try ProgramArguments.checked(["broker"]).isEmpty)
        #expect(try ProgramArguments.checked(["broker", "serve"]) == ["serve"])
        // The same source as the program's own: what this process was started with.
        #expect(ProgramArguments.current() == CommandLine.arguments)
    }

    @Test(
        "C17 and C22: limits that no broker can live with are said at start",
        arguments: [
            ("ulimit -n 24", "RLIMIT_NOFILE"), ("ulimit -v 120000", "RLIMIT_AS"),
        ]) func limits(_ limit: String, _ name: String) throws
    {
        let result = try shell("\(limit) && exec \"$0\" serve")
        #expect(result.status == 78)
        #expect(result.errors.contains(name), "\(result.errors)")
    }

    @Test("C11: a body limit above the budget is configuration") func bodyLimit() throws {
        let result = try Program.run(["serve", "--set", "server.body-limit=41943040"])
        #expect(result.status == 78)
        #expect(result.errors.contains("server.body-limit"), "\(result.errors)")
    }
}
