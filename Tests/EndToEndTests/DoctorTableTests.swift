import Foundation
import Testing

/// `doctor` and the `key` commands against what `simulate` refuses: each names what it was.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DoctorTableTests {
    struct Row: CustomTestStringConvertible {
        /// Of `simulate`.
        let options: [String]
        /// The first broken link of the chain; `nil` where a release works.
        let broken: String?
        let verdict: String
        /// The finding that says it …
        let name: String
        /// … with these words in its text, cause or hints.
        let words: [String]
        /// Settings of the broker.
        var settings: [String] = []
        /// `key` commands that say it too, with their exit status and words.
        var commands: [(arguments: [String], status: Int32, words: String)] = []

        var testDescription: String { options.joined(separator: " ") }
    }

    private static let releaseRole = "Managed HSM Crypto Service Release User"
    private static let readRole = "Managed HSM Crypto Auditor"
    private static let unneeded = ["create", "import", "list", "update", "delete", "recover", "purge", "wrapKey", "unwrapKey"]
    private static let unasked = [
        "keys.create", "keys.import", "keys.list", "keys.update", "keys.delete", "keys.recover", "keys.purge", "entra.token",
        "entra.metadata", "thim", "kds", "certificate-cache",
    ]

    static let rows: [Row] = [
        Row(
            options: ["--deny", "release"], broken: "store", verdict: "problem", name: "release",
            words: ["release-permission-missing", releaseRole], commands: [(["release", "mine"], 1, releaseRole)]),
        Row(
            options: ["--deny", "get"], broken: nil, verdict: "warning", name: "key", words: ["read-permission-missing", readRole],
            commands: [(["show", "mine"], 1, "403"), (["release", "mine"], 0, "")]),
        Row(
            options: unneeded.flatMap { ["--deny", $0] }, broken: nil, verdict: "ok", name: "release", words: ["forgotten"],
            commands: [(["list"], 1, "403"), (["release", "mine"], 0, "")]),
        Row(
            options: ["--fault", "maa.attest=400"], broken: "verifier", verdict: "problem", name: "token", words: [LocalAzure.authority],
            commands: [(["release", "mine"], 1, LocalAzure.authority)]),
        Row(
            options: ["--fault", "maa.attest=503"], broken: "verifier", verdict: "problem", name: "token", words: ["503"],
            commands: [(["release", "mine"], 2, "503")]),
        Row(
            options: ["--fault", "maa.certificates=503"], broken: "verifier", verdict: "problem", name: "verifier",
            words: ["503", "/certs"]),
        Row(
            options: ["--fault", "imds.token=400"], broken: "identity", verdict: "problem", name: "identity", words: ["managed identity"],
            commands: [(["show", "mine"], 2, "managed identity"), (["list"], 2, "managed identity")]),
        Row(
            options: ["--fault", "imds.token=503"], broken: "identity", verdict: "problem", name: "identity", words: ["503"],
            settings: ["server.request-timeout=2s"]),
        Row(
            options: ["--fault", "keys.release=403"], broken: "store", verdict: "problem", name: "release", words: ["refuses"],
            commands: [(["release", "mine"], 1, "refuses")]),
        Row(
            options: ["--fault", "keys.release=429,7"], broken: "store", verdict: "problem", name: "release", words: ["fewer requests"],
            commands: [(["release", "mine"], 2, "fewer requests")]),
        Row(options: ["--fault", "keys.release=503"], broken: "store", verdict: "problem", name: "release", words: ["503"]),
        Row(
            options: ["--fault", "keys.get=503"], broken: nil, verdict: "warning", name: "key", words: ["503"],
            commands: [(["show", "mine"], 2, "503")]),
        Row(
            options: unasked.flatMap { ["--fault", "\($0)=503"] }, broken: nil, verdict: "ok", name: "release", words: ["forgotten"],
            commands: [(["list"], 2, "503")]),
    ]

    /// A store with one key, that each simulator of the table opens anew: some of them would not import it.
    private static let keys: Result<String, any Error> = Result {
        let scratch = try Scratch()
        let directory = scratch.directory.appending(path: "keys").path
        let azure = try LocalAzure(["--keys", directory])
        defer { azure.stop() }
        let made = try azure.importKey("mine", at: LocalAzure.managedHSM, SampleKeys.oct(32), policy: LocalAzure.policy())
        #expect(made.status == 200)
        return directory
    }

    @Test("each refusal has its link, its cause and its next step", arguments: rows) func cause(_ row: Row) throws {
        let azure = try LocalAzure(["--keys", try Self.keys.get()] + row.options)
        defer { azure.stop() }
        let file = try azure.scratch.write("broker.json", try JSONSerialization.data(withJSONObject: azure.configuration))
        let with = ["--config", file.path, "--store", LocalAzure.managedHSM] + row.settings.flatMap { ["--set", $0] }

        let result = try Program.run(["doctor", "--json", "--key", "mine"] + with)
        let output = result.text + result.errors
        #expect(result.status == (row.broken == nil ? 0 : 1), "\(output)")
        #expect(result.object["problems"] as? Int == (row.broken == nil ? 0 : 1), "\(output)")
        #expect((result.object["first"] as? [String: Any])?["category"] as? String == row.broken, "\(output)")
        let chain = result.object["chain"] as? [[String: String]] ?? []
        #expect(chain.map { $0["link"] } == ["machine", "device", "endorsements", "verifier", "identity", "store", "policy"])
        #expect(chain.filter { $0["state"] == "broken" }.map { $0["link"] } == [row.broken].compactMap(\.self), "\(output)")
        let findings = result.object["findings"] as? [[String: Any]] ?? []
        let found = findings.first { $0["name"] as? String == row.name && $0["verdict"] as? String == row.verdict }
        let said = "\(found?["text"] ?? "") \(found?["cause"] ?? "") \(found?["hints"] as? [String] ?? [])"
        for word in row.words { #expect(said.contains(word), "\(word): \(output)") }

        for (arguments, status, words) in row.commands {
            let result = try Program.run(["key"] + arguments + with)
            #expect(result.status == status, "\(arguments): \(result.errors)")
            #expect(words.isEmpty || result.errors.contains(words), "\(arguments): \(result.errors)")
        }
    }

    @Test("the table has every permission that can be denied") func complete() throws {
        let usage = try Program.run(["simulate", "--deny", "everything"]).errors
        let names = usage.firstMatch(of: /--deny is one of ([A-Za-z, ]+)/).map { $0.1.split(separator: ", ").map(String.init) } ?? []
        let denied = Self.rows.flatMap { row in
            zip(row.options, row.options.dropFirst()).filter { $0.0 == "--deny" }.map { $0.1 }
        }
        #expect(Set(names) == Set(denied) && names.count == denied.count && names.count > 8)
    }
}
