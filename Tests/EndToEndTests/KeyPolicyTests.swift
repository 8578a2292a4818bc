import Foundation
import Testing

/// `key policy show|set` and `policy diff`, along the staged rollout of samples/guide.md.
@Suite(.serialized, .timeLimit(.minutes(10))) struct KeyPolicyTests {
    private static func policy(_ scratch: Scratch, _ name: String, _ clauses: [Any]) throws -> String {
        let policy: [String: Any] = [
            "version": "1.0.0",
            "anyOf": [
                [
                    "authority": "https://\(LocalAzure.authority)",
                    "allOf": [["claim": "x-ms-sevsnpvm-is-debuggable", "equals": "false"]] + clauses,
                ]
            ],
        ]
        return try scratch.write("\(name).json", try JSONSerialization.data(withJSONObject: policy)).path
    }

    @Test("a rollout: both deployments get the key, then the old one is refused and told why") func rollout() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let scratch = azure.scratch
        let configuration = try scratch.write("rollout-broker.json", try JSONSerialization.data(withJSONObject: azure.configuration)).path
        // Two deployments differ in their security policy alone.
        let regos = try ["old", "new"].map { name in
            try scratch.write(
                "\(name).rego", "package policy\n\napi_version := \"0.11.0\"\ncontainers := [{\"name\":\"app\",\"id\":\"\(name)\"}]\n")
        }
        let hostData = try regos.map { try Program.run(["policy", "digest", $0]).text.split(separator: "\n").first.map(String.init) ?? "" }
        let pins = hostData.map { ["claim": "x-ms-sevsnpvm-hostdata", "equals": $0] }
        let both = try Self.policy(scratch, "both", [["anyOf": pins]])
        let newOnly = try Self.policy(scratch, "new-only", [pins[1]])
        func key(_ arguments: [String], rego: String? = nil) throws -> Program.Result {
            let evidence = rego.map { ["--set", "evidence.fixture.security-policy=\($0)"] } ?? []
            return try Program.run(["key"] + arguments + ["--store", LocalAzure.vault, "--config", configuration] + evidence)
        }
        let made = try key(["import", "--kty", "EC-HSM", "--name", "rollout", "--policy", both])
        #expect(made.status == 0, "\(made.errors)")
        for rego in regos { #expect(try key(["release", "rollout"], rego: rego).status == 0) }

        let dry = try key(["policy", "set", "rollout", newOnly, "--dry-run"])
        #expect(dry.status == 0 && dry.text.contains(hostData[0]) && dry.errors.contains("nothing was changed"), "\(dry.text)\(dry.errors)")
        #expect(try key(["release", "rollout"], rego: regos[0]).status == 0)
        let set = try key(["policy", "set", "Rollout", newOnly, "--json"])
        #expect(set.status == 0 && set.object["changed"] as? Bool == true, "\(set.errors)")
        #expect(try key(["policy", "set", "rollout", newOnly]).text.contains("say the same"))
        let shown = try key(["policy", "show", "rollout"])
        #expect(shown.text.contains(hostData[1]) && !shown.text.contains(hostData[0]))

        #expect(try key(["release", "rollout"], rego: regos[1]).status == 0)
        let old = try key(["release", "rollout"], rego: regos[0])
        #expect(old.status == 1 && old.errors.contains("why:") && old.errors.contains("x-ms-sevsnpvm-hostdata"), "\(old.errors)")

        let diff = try Program.run(["policy", "diff", both, newOnly, "--html", scratch.directory.appending(path: "diff.html").path])
        #expect(diff.status == 1 && diff.text.hasPrefix("~ "), "\(diff.text)\(diff.errors)")
        #expect(try Program.run(["policy", "diff", both, both]).status == 0)
        let security = try Program.run(["policy", "diff", regos[0], regos[1], "--json"])
        #expect(security.status == 1 && security.object["kind"] as? String == "security-policy")
        #expect(try Program.run(["policy", "diff", both, regos[0]]).status == 2)
    }

    @Test("an immutable policy, and one with an error, are said before the store is asked") func refused() throws {
        let azure = try LocalAzure(["--verbose"])
        defer { azure.stop() }
        let scratch = azure.scratch
        let configuration = try scratch.write("fixed-broker.json", try JSONSerialization.data(withJSONObject: azure.configuration)).path
        let data = try JSONSerialization.data(withJSONObject: LocalAzure.policy([LocalAzure.sound[2]]))
        let body: [String: Any] = [
            "key": try SampleKeys.ec("P-256"), "hsm": true, "attributes": ["exportable": true],
            "release_policy": ["data": data.base64URL, "immutable": true],
        ]
        let made = try azure.curl(
            [
                "-X", "PUT", "-H", "Authorization: Bearer \(try azure.token("https://vault.azure.net"))", "-H",
                "Content-Type: application/json",
                "https://\(LocalAzure.vault)/keys/fixed?api-version=7.4",
            ], body: body)
        #expect(made.status == 200, "\(made.object)")
        let other = try Self.policy(scratch, "other", [["claim": "x-ms-sevsnpvm-hostdata", "equals": String(repeating: "11", count: 32)]])
        let anybody = try Self.policy(scratch, "anybody", [])
        for (file, words) in [(other, "immutable"), (anybody, "[admits-any-tenant]")] {
            let result = try Program.run(["key", "policy", "set", "fixed", file, "--store", LocalAzure.vault, "--config", configuration])
            #expect(result.status == 1 && result.errors.contains(words), "\(result.errors)")
        }
        #expect(azure.requests("keys.update") == 0)
    }

    @Test("case 16: config check names the setting that a host belongs to") func misplacedHosts() throws {
        for (setting, host, right) in [
            ("verifier.maa.endpoint", LocalAzure.vault, "key-stores.akv.endpoint"),
            ("key-stores.akv.endpoint", LocalAzure.managedHSM, "key-stores.mhsm.endpoint"),
            ("key-stores.mhsm.additional-endpoints", LocalAzure.authority, "verifier.maa.endpoint"),
        ] {
            let result = try Program.run(["config", "check", "--set", "\(setting)=\(host)"])
            #expect(result.status == 78 && result.errors.contains(right), "\(result.errors)")
        }
    }
}
