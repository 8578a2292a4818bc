import Foundation
import Testing

/// The broker as `samples/confinement/confine.py` starts it, and the sandbox of `samples/systemd`.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SandboxTests {
    private static let python = URL(filePath: "/usr/bin/python3")
    private static let samples = Program.packageRoot.appending(path: "samples")
    private static let confine = samples.appending(path: "confinement/confine.py").path
    private static let isPossible = (try? run(["--execute", "/usr/bin/true"], ["/usr/bin/true"]))?.status == 0

    private static func run(_ options: [String], _ command: [String]) throws -> Program.Result {
        try Program.run([confine] + options + ["--"] + command, executable: python)
    }

    /// Directories of the libraries that the program was linked with: the toolchain's are not where a system has its own.
    private static func libraries() throws -> [String] {
        let lines = try Program.run([Program.executable.path], executable: URL(filePath: "/usr/bin/ldd")).text.split(separator: "\n")
        return Set(lines.compactMap { $0.firstMatch(of: /=> (\/\S+)\/[^\/ ]+ \(/).map { String($0.1) } }).sorted()
    }

    /// The first processor that this process may use.
    private static func processor() throws -> String {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        return String(try #require(status.firstMatch(of: /Cpus_allowed_list:\t(\d+)/)).1)
    }

    @Test(
        "on one processor, without a privilege, a process or a file beside its own it releases keys and ends as ever",
        .enabled(if: isPossible, "no Landlock in this kernel, or no libseccomp.so.2")) func confined() throws
    {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let key = SampleKeys.oct(32)
        #expect(try azure.importKey("k", at: LocalAzure.managedHSM, key, policy: LocalAzure.policy()).status == 200)
        let file = try azure.scratch.write("broker.json", try JSONSerialization.data(withJSONObject: azure.configuration))
        let (socket, log, one) = (azure.scratch.path + "/s", azure.scratch.path + "/log", try Self.processor())
        let program = Program.executable.path
        var arguments = ["-c", one, Self.python.path, Self.confine, "--execute", program, "--write", azure.scratch.path]
        for directory in try Self.libraries() { arguments += ["--read", directory] }
        arguments += ["--bind", "0", "--connect", "\(azure.tlsPort)", "--connect", "\(azure.metadataPort)", "--", program]
        arguments += ["serve", "--config", file.path]
        for setting in ["server.http=127.0.0.1:0", "server.unix=\(socket)", "key-stores.use=mhsm", "release-session.max-age=0s"] {
            arguments += ["--set", setting]
        }
        let broker = try Broker(arguments, executable: URL(filePath: "/usr/bin/taskset"))
        let status = try String(contentsOfFile: "/proc/\(broker.program.identifier)/status", encoding: .utf8)
        for pattern in ["Seccomp:\t2\n", "NoNewPrivs:\t1\n", "CapEff:\t0000000000000000\n", "CapBnd:\t", "Cpus_allowed_list:\t\(one)\n"] {
            #expect(status.contains(pattern), "\(status)")
        }
        for _ in 0..<4 {
            let release = try broker.release("k")
            #expect(release.status == 200 && release.key?["k"] as? String == key["k"] as? String, "\(release.answer)")
        }
        #expect(try broker.get("/readyz").status == 200)
        try broker.program.wait(for: "address=unix:\(socket)")
        #expect(try Curl.run(["--unix-socket", socket, "http://localhost/status"]).status == 200)
        #expect(try broker.release("absent").code == "keyNotFound")
        kill(broker.program.identifier, SIGHUP)
        try broker.program.wait(for: "release sessions ended")
        #expect(try broker.release("k").status == 200)
        #expect(broker.program.stop() == 0, "\(broker.program.output)")
        // Its own rules hold: what was not named could not be made.
        var refused = arguments
        refused += ["--set", "log.file=\(log.replacing(azure.scratch.path, with: azure.scratch.path + "-elsewhere"))"]
        #expect(try Program.run(refused, executable: URL(filePath: "/usr/bin/taskset")).status == 78)
    }

    @Test("the rules bite", .enabled(if: isPossible, "no Landlock in this kernel, or no libseccomp.so.2")) func bites() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let secret = try scratch.write("secret", "s")
        let script = """
            import errno, os, socket, sys
            def attempt(name, body):
                try: body()
                except OSError as error: print(name, errno.errorcode[error.errno])
                else: print(name, "allowed")
            attempt("process", os.fork)
            attempt("packets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
            attempt("reading", lambda: open(sys.argv[1]))
            attempt("writing", lambda: open(sys.argv[1], "w"))
            attempt("program", lambda: os.execv("/bin/sh", ["sh", "-c", "echo program allowed"]))
            attempt("connecting", lambda: socket.create_connection(("127.0.0.1", 9)))
            attempt("listening", lambda: socket.create_server(("127.0.0.1", 0)))
            attempt("signal", lambda: os.kill(os.getppid(), 0))
            """
        let result = try Self.run(["--execute", Self.python.path], [Self.python.path, "-c", script, secret])
        #expect(result.status == 0, "\(result.errors)")
        var expected = ["process EPERM", "packets EPERM", "reading EACCES", "writing EACCES", "program EACCES"]
        // An older kernel has fewer rules, and says so.
        if !result.errors.contains("less is enforced") { expected += ["connecting EACCES", "listening EACCES", "signal EPERM"] }
        #expect(Array(result.text.split(separator: "\n").map(String.init).prefix(expected.count)) == expected, "\(result.text)")
        // What cannot be applied starts nothing.
        let unknown = try Self.run(["--execute", "/usr/bin/true", "--no-such-option"], ["/usr/bin/true"])
        #expect(unknown.status == 2)
        #expect(try Self.run([], ["/usr/bin/true"]).status == 2, "not among the programs that may be started")
    }

    @Test(
        "the service's sandbox allows every call of the profile",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze"), "no systemd-analyze")) func service() throws
    {
        var groups: [String: [String]] = [:]
        var group = ""
        let listing = try Program.run(["syscall-filter", "--no-pager"], executable: URL(filePath: "/usr/bin/systemd-analyze")).text
        for line in listing.split(separator: "\n") {
            let name = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("@") {
                group = name
            } else if line.hasPrefix("    "), !name.hasPrefix("#") {
                groups[group, default: []].append(name)
            }
        }
        func expand(_ name: String) -> Set<String> {
            name.hasPrefix("@") ? (groups[name] ?? []).reduce(into: []) { $0.formUnion(expand($1)) } : [name]
        }
        let unit = try String(contentsOf: Self.samples.appending(path: "systemd/attestation-broker.service"), encoding: .utf8)
        var allowed: Set<String> = []
        for filter in unit.matches(of: /SystemCallFilter=(~?)(\S+)/) {
            if filter.1.isEmpty { allowed.formUnion(expand(String(filter.2))) } else { allowed.subtract(expand(String(filter.2))) }
        }
        #expect(allowed.count > 200)
        let profile = try Data(contentsOf: Self.samples.appending(path: "confinement/seccomp.json"))
        let rules = (try JSONSerialization.jsonObject(with: profile) as? [String: Any])?["syscalls"] as? [[String: Any]] ?? []
        let names = rules.flatMap { $0["names"] as? [String] ?? [] }
        #expect(names.count > 100)
        #expect(Set(names).subtracting(allowed) == [])
    }
}
