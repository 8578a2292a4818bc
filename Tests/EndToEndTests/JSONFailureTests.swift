import Foundation
import Testing

/// Every command of the program, from its own list, fails in more than one way and says so in one JSON document.
@Suite struct JSONFailureTests {
    /// A command without subcommands, as the program describes itself.
    struct Leaf: CustomTestStringConvertible {
        let path: [String]
        let options: Set<String>
        let discussion: String

        var name: String { path.joined(separator: " ") }
        var testDescription: String { name }
        var hasConfiguration: Bool { options.contains("config") }
    }

    static let leaves: [Leaf] = {
        let tree = (try? Program.run(["--experimental-dump-help"]))?.object["command"] as? [String: Any] ?? [:]
        return leaves(of: tree, path: [])
    }()

    private static func leaves(of command: [String: Any], path: [String]) -> [Leaf] {
        let inner = (command["subcommands"] as? [[String: Any]] ?? []).filter { $0["commandName"] as? String != "help" }
        guard inner.isEmpty else { return inner.flatMap { leaves(of: $0, path: path + [$0["commandName"] as? String ?? ""]) } }
        let arguments = command["arguments"] as? [[String: Any]] ?? []
        let names = arguments.flatMap { $0["names"] as? [[String: Any]] ?? [] }.compactMap { $0["name"] as? String }
        return [Leaf(path: path, options: Set(names), discussion: command["discussion"] as? String ?? "")]
    }

    /// A line for each command that it can read and not carry out, with the exit status. A command that only prints what the program
    /// knows has no such line; it fails on its usage alone.
    private static let failures: [String: [(arguments: [String], status: Int32)]] = [
        "serve": [
            (["--set", "server.http=127.0.0.1:0", "--set", "server.unix=/dev/null"], 2), (["--set", "log.file=/nonexistent/log"], 78),
        ],
        "demo": [(["--port", "99999"], 64)], "simulate": [(["--deny", "everything"], 64), (["--keys", "/dev/null/keys"], 2)],
        "evidence get": [(["--set", "evidence.fixture.directory=/dev/null", "--set", "evidence.use=fixture"], 2)],
        "evidence show": [(["/nonexistent"], 2)],
        "evidence verify": [(["--report", "/nonexistent", "--certs", "/nonexistent"], 2)], "evidence checks": [(["extra"], 64)],
        "token show": [(["/nonexistent"], 2), (["/dev/null"], 2)], "token verify": [(["/nonexistent"], 2)],
        "policy digest": [(["/nonexistent"], 2), (["--expect", "abc", "/dev/null"], 64)],
        "policy new": [([], 64), (["--region", "nowhere"], 64), (["--template", "/nonexistent", "--region", "northeurope"], 2)],
        "policy lint": [(["/nonexistent"], 2), (["--allow", "no-such-rule", "/dev/null"], 64)],
        "policy explain": [(["--policy", "/nonexistent", "--claims", "/nonexistent"], 2), (["--policy", "x"], 64)],
        "plugins list": [(["extra"], 64)], "plugins show": [(["no-such-provider"], 64)],
        "plugins probe": [(["--set", "evidence.use=fixture", "--set", "evidence.fixture.directory=/dev/null"], 1)],
        "config check": [(["--config", "/nonexistent"], 78)], "config example": [(["extra"], 64)],
        "config explain": [(["no.such.setting"], 64), ([], 64)],
        "doctor": [(["--offline", "--set", "evidence.snp.interface=sev-guest"], 1), (["--offline", "--key", "k"], 64)],
        "healthcheck": [
            (["--set", "server.http=127.0.0.1:1"], 2), (["--timeout", "0"], 64), (["--metrics"], 78),
            (["--set", "server.http=127.0.0.1:0"], 78),
        ],
        "key import": [(["-c", "/nonexistent"], 2), (["-c", "/nonexistent", "--rsa-bits", "1"], 64)],
        "key list": [([], 64), (["--store", "not a host"], 64)], "key show": [(["no/name"], 64), (["k", "--store", "example.com"], 64)],
        "key release": [(["no/name"], 64)], "key policy show": [(["no/name"], 64)],
        "key policy set": [(["k", "/nonexistent"], 2), (["k"], 64)],
        "policy diff": [(["/nonexistent", "/nonexistent"], 2), (["-", "-"], 64)],
        "wrap": [
            (["-infile", "/nonexistent", "-keypath", "/nonexistent/key"], 2), (["-infile", "x"], 64),
            (["-infile", "/nonexistent", "--kid", "k", "--public-key", "/nonexistent"], 2),
        ],
        "unwrap": [(["/nonexistent"], 2), (["/dev/null"], 2)], "key-provider config": [(["--set", "server.grpc=127.0.0.1:0"], 78)],
        "audit verify": [(["/nonexistent"], 2), ([], 64)], "audit show": [(["/nonexistent"], 2)],
        "audit tail": [(["/nonexistent"], 2), (["/dev/null", "-n", "0"], 64)],
        "callers explain": [
            (["--key", "k", "--set", #"callers.rules=[{"uid":1}]"#], 1), (["--key", "no name"], 64), (["--uid", "1"], 64),
        ],
    ]

    private static func check(_ leaf: Leaf, _ arguments: [String], status: Int32) throws {
        let result = try Program.run(leaf.path + arguments + ["--json"])
        #expect(result.status == status, "\(leaf.name) \(arguments): \(result.errors)")
        // One document: JSONSerialization takes nothing behind it.
        let error = try #require(result.object["error"] as? [String: Any], "\(leaf.name) \(arguments): '\(result.text)' \(result.errors)")
        #expect(error["exit_status"] as? Int == Int(status))
        #expect((error["code"] as? String)?.isEmpty == false && (error["message"] as? String)?.isEmpty == false)
        #expect(error["next_steps"] is [String])
        #expect(Set(error.keys).isSubset(of: try Self.documented), "\(error.keys)")
    }

    /// The members that `CommandLine.md` lists.
    private static var documented: Set<String> {
        get throws {
            let file = Program.packageRoot.appending(path: "Sources/BrokerCore/BrokerCore.docc/CommandLine.md")
            let text = try String(contentsOf: file, encoding: .utf8)
            let section = text.split(separator: "## ").first { $0.hasPrefix("Failure") } ?? ""
            return Set(section.matches(of: /\n\| `([a-z_]+)` \|/).map { String($0.1) })
        }
    }

    @Test("the program lists its commands, and each has --json") func everyCommandHasJSON() {
        #expect(Self.leaves.count >= 20)
        for leaf in Self.leaves { #expect(leaf.options.contains("json"), "\(leaf.name)") }
    }

    @Test("the help of each ends with examples that have its own options", arguments: leaves) func examples(_ leaf: Leaf) throws {
        let lines = leaf.discussion.split(separator: "\n").filter { $0.hasPrefix("  attestation-broker ") }
        #expect(!lines.isEmpty && lines.allSatisfy { $0.count < 80 })
        for line in lines {
            let words = line.split(separator: " ").map(String.init).dropFirst()
            #expect(Array(words.prefix(leaf.path.count)) == leaf.path, "\(line)")
            for option in words where option.hasPrefix("-") && option != "-" {
                #expect(leaf.options.contains(String(option.drop { $0 == "-" })), "\(line)")
            }
        }
    }

    @Test("a usage error is one JSON document", arguments: leaves) func usage(_ leaf: Leaf) throws {
        try Self.check(leaf, ["--no-such-option"], status: 64)
    }

    @Test("whatever else goes wrong is one JSON document too", arguments: leaves) func others(_ leaf: Leaf) throws {
        for (arguments, status) in try #require(Self.failures[leaf.name], "'\(leaf.name)' needs a line here") {
            try Self.check(leaf, arguments, status: status)
        }
        if leaf.hasConfiguration {
            let needed = [
                "evidence verify", "policy explain", "key show", "key release", "key import", "token verify", "key policy show",
                "key policy set", "callers explain", "unwrap",
            ].contains(leaf.name)
            let rest = needed ? Self.failures[leaf.name]?.first?.arguments ?? [] : []
            guard !rest.contains("no/name") else { return try Self.check(leaf, ["k", "--set", "no.such=1"], status: 78) }
            guard !rest.contains("/nonexistent") else { return }
            try Self.check(leaf, rest + ["--set", "no.such=1"], status: 78)
        }
    }

    @Test("a refusal is in the same document as what was found out") func refusal() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let policy = try scratch.write("policy.json", try JSONSerialization.data(withJSONObject: LocalAzure.policy()))
        let claims = try scratch.write("claims.json", #"{"iss":"https://sharedeus2.eus2.attest.azure.net","x-ms-attestation-type":"sgx"}"#)
        let result = try Program.run(["policy", "explain", "--policy", policy.path, "--claims", claims, "--json"])
        #expect(result.status == 1 && result.object["verdict"] != nil)
        #expect((result.object["error"] as? [String: Any])?["code"] as? String == "refused")
        let mistaken = try Program.run(["config", "check", "--set", "server.htpp=1", "--json"])
        let error = mistaken.object["error"] as? [String: Any]
        #expect(mistaken.status == 78 && error?["code"] as? String == "misconfigured")
        #expect((error?["problems"] as? [[String: Any]])?.first?["path"] as? String == "server.htpp")
    }
}
