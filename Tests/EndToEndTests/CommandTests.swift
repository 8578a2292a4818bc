import Foundation
import Testing

@Suite struct CommandTests {
    @Test("five different mistakes are reported together, each with its path") func fiveMistakes() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = try scratch.write(
            "broker.json",
            """
            {"server":{"http":"8080"},"evidence":{"use":"fixtures"},"verifier":{"maa":{"endpint":"x.attest.azure.net"}},
             "key-stores":{"akv":{"timeout":"soon"}},"wrapping-keys":{"pool":"two"}}
            """)
        for command in [["config", "check"], ["serve"]] {
            let result = try Program.run(command + ["--config", file])
            #expect(result.status == 78)
            for path in ["server.http", "evidence.use", "verifier.maa.endpint", "key-stores.akv.timeout", "wrapping-keys.pool"] {
                #expect(result.errors.contains(path), "\(path): \(result.errors)")
            }
            #expect(result.errors.contains("endpoint"))
        }
    }

    @Test("a file with the usual sections is accepted") func designExample() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = try scratch.write(
            "broker.json",
            """
            { "server":    { "http": "127.0.0.1:8080", "grpc": "", "unix": "", "profile": "compatible" },
              "evidence":  { "use": "snp", "snp": { "interface": "auto" } },
              "verifier":  { "use": "maa", "maa": { "endpoint": "sharedeus2.eus2.attest.azure.net" } },
              "key-stores":{ "use": ["akv", "mhsm"], "akv": { "endpoint": "contoso.vault.azure.net" } },
              "identity":  { "use": "auto" },
              "tls":       { "ca-file": "" } }
            """)
        let result = try Program.run(["config", "check", "--config", file, "--json"])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.object["valid"] as? Bool == true)
    }

    @Test("later layers win: file, environment, options") func precedence() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = try scratch.write("broker.json", #"{"server":{"request-timeout":"11s"},"log":{"level":"error"}}"#)
        func value(_ path: String, _ arguments: [String], _ environment: [String: String] = [:]) throws -> String? {
            let result = try Program.run(["config", "check", "--json"] + arguments, environment: environment)
            let settings = result.object["settings"] as? [[String: Any]] ?? []
            return settings.first { $0["path"] as? String == path }?["value"] as? String
        }
        #expect(try value("server.request-timeout", []) == "30s")
        #expect(try value("server.request-timeout", ["--config", file]) == "11s")
        #expect(try value("server.request-timeout", [], ["BROKER_CONFIG": file]) == "11s")
        let environment = ["BROKER_SERVER_REQUEST_TIMEOUT": "12s"]
        #expect(try value("server.request-timeout", ["--config", file], environment) == "12s")
        let option = ["--set", "server.request-timeout=13s"]
        #expect(try value("server.request-timeout", ["--config", file] + option, environment) == "13s")
    }

    @Test("the schema is what plugins show prints", arguments: ["snp", "fixture", "maa", "akv", "mhsm"]) func pluginsShow(_ name: String)
        throws
    {
        let list = try Program.run(["plugins", "list", "--json"])
        #expect((list.json as? [[String: Any]])?.contains { $0["name"] as? String == name } == true)
        let show = try Program.run(["plugins", "show", name])
        #expect(show.status == 0 && show.text.contains("BROKER_"))
        // Every setting that is shown can be set: an unknown one would be a configuration problem.
        let variables = show.text.matches(of: /(BROKER_[A-Z_]+)/).map { String($0.1) }
        let known = try Program.run(["config", "check"], environment: [variables[0]: "\u{1}"])
        #expect(!known.errors.contains("did you mean"), "\(known.errors)")
    }

    @Test("usage mistakes are 64 and say what to do next") func usage() throws {
        #expect(try Program.run(["nonsense"]).status == 64)
        let unknown = try Program.run(["plugins", "show", "avk"])
        #expect(unknown.status == 64 && unknown.errors.contains("akv"))
        #expect(try Program.run(["serve", "--set", "nonsense"]).status == 64)
        #expect(try Program.run(["--help"]).status == 0)
    }

    @Test("serve takes its options in either form, and says what is wrong with other lines as all commands do") func serveOptions() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = try scratch.write("broker.json", #"{"server":{"http":"127.0.0.1:0"},"evidence":{"use":"snp"}}"#)
        for line in [
            ["--config", file, "--set", "evidence.use=fixture"], ["--set=evidence.use=fixture", "--config=" + file],
            ["--config", "absent", "--set", "evidence.use=fixture", "--config", file],
        ] {
            let broker = try Broker(["serve"] + line)
            #expect(try broker.get("/status").object["message"] as? String == "Status OK")
            #expect(broker.program.output.contains("evidence=fixture"), "\(broker.program.output)")
            #expect(broker.program.stop(SIGTERM) == 0)
        }
        for (line, words) in [
            (["--config"], "--config"), (["--config", "--set", "evidence.use=fixture"], "--config"), (["--sett", "a=b"], "--sett"),
            (["--set=a=b", "extra"], "extra"), (["extra", "--set=a=b"], "extra"), (["--set="], "--set"),
            (["--set", "nonsense"], "PATH=VALUE"),
        ] {
            let result = try Program.run(["serve"] + line)
            #expect(result.status == 64 && result.errors.contains(words), "\(line): \(result.errors)")
        }
        let help = try Program.run(["serve", "--set", "a=b", "--help"])
        #expect(help.status == 0 && help.text.contains("attestation-broker serve") && help.text.contains("--config"))
    }

    @Test("the original's flags start the server") func originalFlags() throws {
        let broker = try Broker(["-loglevel=info", "-server_type", "http"], environment: ["BROKER_SERVER_HTTP": "127.0.0.1:0"])
        #expect(try broker.get("/status").object["message"] as? String == "Status OK")
        #expect(broker.program.stop(SIGINT) == 0)
    }

    @Test("a report carries the very report data that was asked for") func reportData() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try SharedFixture.copy(to: scratch.directory.appending(path: "fixture"))
        let get = ["evidence", "get", "--set", "evidence.use=fixture", "--set", "evidence.fixture.directory=\(scratch.path)/fixture"]
        let data = (0..<64).map { String(format: "%02x", 0xFF - $0) }.joined()
        let result = try Program.run(get + ["--report-data", data])
        #expect(result.status == 0, "\(result.errors)")
        // REPORT_DATA is at 0x50 of the report.
        #expect(result.text.dropFirst(2 * 0x50).hasPrefix(data))
        for wrong in [
            ["--report-data", String(data.dropLast(2))], ["--report-data", "zz"], ["--report-data", data, "--runtime-data", "/dev/null"],
        ] {
            #expect(try Program.run(get + wrong).status == 64, "\(wrong)")
        }
    }

    @Test("the demo tells its steps to machines too") func demo() throws {
        let result = try Program.run(["demo", "--json"])
        #expect(result.status == 0, "\(result.text)\(result.errors)")
        #expect(result.object["ok"] as? Bool == true)
        #expect((result.object["steps"] as? [Any])?.count == 8)
        #expect(!result.text.contains("\u{1B}["))
        let clauses = (result.object["steps"] as? [[String: Any]])?.last?["clauses"] as? [[String: Any]] ?? []
        #expect(clauses.count == 4)
        #expect(clauses.filter { $0["satisfied"] as? Bool == false }.map { $0["claim"] as? String } == ["x-ms-sevsnpvm-is-debuggable"])
    }

    @Test("the demo keeps to the lines of its terminal and names the clause that failed", arguments: [40, 100]) func demoLines(_ width: Int)
        throws
    {
        let result = try Program.run(["demo"], environment: ["COLUMNS": "\(width)"])
        #expect(result.status == 0, "\(result.text)\(result.errors)")
        let lines = result.text.split(separator: "\n")
        #expect(lines.filter { $0.count > width } == [])
        #expect(lines.contains { $0.count > width * 3 / 4 })
        let words = result.text.split { $0.isWhitespace }.joined(separator: " ")
        #expect(words.contains("[FAIL] x-ms-sevsnpvm-is-debuggable equals false: found true (different-value)"), "\(result.text)")
    }

    @Test("the demo tells a step when it begins, not only when it has ended") func demoProgress() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        // A port that is taken ends the demo inside of its third step.
        let result = try Program.run(["demo", "--port", "\(azure.tlsPort)"])
        #expect(result.status == 2)
        #expect(result.text.contains("2  Start the simulated Azure\n") && result.text.hasSuffix("3  Start the broker\n"), "\(result.text)")
        #expect(result.errors.contains("cannot listen") && result.errors.contains("--port"), "\(result.errors)")
    }
}

@Suite struct BinaryTests {
    @Test("of Foundation only its essentials are linked, and no ICU") func foundation() throws {
        let libraries = try Program.run([Program.executable.path], executable: URL(filePath: "/usr/bin/ldd")).text.split(separator: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces).prefix { $0 != " " } }
        let found = libraries.filter { $0.localizedCaseInsensitiveContains("foundation") || $0.contains("icu") }
        #expect(libraries.contains { $0.hasPrefix("libcrypto.so") })
        #expect(found.allSatisfy { $0 == "libFoundationEssentials.so" }, "\(found)")
    }
}

@Suite struct SampleTests {
    static let configurations = Program.packageRoot.appending(path: "samples/config")

    @Test("every sample configuration is accepted, and those for production have nothing to warn of") func accepted() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.configurations.path)
        let quiet: Set = ["encrypted-images.json", "production.json", "several-callers.json"]
        #expect(Set(names) == quiet.union(["key-vault.json", "managed-hsm.json", "private-maa.json"]))
        for name in names {
            let file = Self.configurations.appending(path: name).path
            let result = try Program.run(["config", "check", "--json", "--config", file])
            #expect(result.status == 0, "\(name): \(result.errors)")
            #expect((result.object["warnings"] as? [Any])?.isEmpty == quiet.contains(name), "\(name)")
        }
    }

    @Test("swapping a backend is one line", arguments: ["managed-hsm.json", "private-maa.json"]) func oneLine(_ name: String) throws {
        func lines(_ name: String) throws -> [Substring] {
            try String(contentsOf: Self.configurations.appending(path: name), encoding: .utf8).split(
                separator: "\n", omittingEmptySubsequences: false)
        }
        let (base, other) = (try lines("key-vault.json"), try lines(name))
        #expect(base.count == other.count)
        #expect(zip(base, other).filter { $0 != $1 }.count == 1)
    }

    @Test("the README shows the providers that are built in") func providerTable() throws {
        let readme = try String(contentsOf: Program.packageRoot.appending(path: "README.md"), encoding: .utf8)
        let list = try Program.run(["plugins", "list", "--json"]).json as? [[String: Any]] ?? []
        #expect(list.count == 6)
        for provider in list {
            let row = "| \(provider["kind"] ?? "") | `\(provider["name"] ?? "")` | \(provider["summary"] ?? "") |"
            #expect(readme.contains(row), "\(row)")
        }
    }
}

@Suite struct ReleaseSampleTests {
    @Test("samples/release.sh releases one key from both stores") func releaseSample() throws {
        let script = Program.packageRoot.appending(path: "samples/release.sh")
        let result = try Program.run([], environment: ["BROKER": Program.executable.path], executable: script)
        #expect(result.status == 0, "\(result.text)\(result.errors)")
        #expect(result.text.contains("key-vault: released") && result.text.contains("managed-hsm: released"))
    }

    @Test("every command of the README is one that a test or .ci/run executes") func readmeCommands() throws {
        let readme = try String(contentsOf: Program.packageRoot.appending(path: "README.md"), encoding: .utf8)
        let ci = try String(contentsOf: Program.packageRoot.appending(path: ".ci/run"), encoding: .utf8)
        let commands = readme.split(separator: "\n").filter { $0.hasPrefix("    ") && !$0.contains("|") && !$0.contains("->") }.map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        #expect(commands.count >= 5)
        let walked = try FirstKeyTests.lines()
        for command in commands {
            if ci.contains(command) || walked.contains(command) { continue }
            switch command {
            case "./samples/release.sh": continue
            // EncryptedImageTests runs it.
            case "./samples/encrypted-image/run.sh": continue
            // DoctorTests runs it.
            case "attestation-broker doctor": continue
            // RealClientTests runs it.
            case let text where text.contains("simulate --proxy-port"): continue
            case let text where text.hasPrefix("diff samples/config/"):
                let files = text.split(separator: " ").dropFirst().map { Program.packageRoot.appending(path: String($0)).path }
                #expect(try Program.run(files, executable: URL(filePath: "/usr/bin/diff")).status == 1)
            case let text where text.hasPrefix("attestation-broker evidence verify"):
                // The files are the reader's; EvidenceCommandTests runs it on real ones.
                continue
            default: Issue.record("nothing runs '\(command)'")
            }
        }
        for inline in ["plugins show maa", "config example", "config check", "evidence checks"] {
            #expect(try Program.run(inline.split(separator: " ").map(String.init)).status == 0, "\(inline)")
        }
    }
}
