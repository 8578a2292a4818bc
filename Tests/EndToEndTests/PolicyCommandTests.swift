import Foundation
import Testing

/// `policy digest|new|lint|explain`, as a user runs them.
@Suite struct PolicyCommandTests {
    static let rego = "package policy\n\napi_version := \"0.10.0\"\n"
    static let hostData = "d14f98512e78574d68e04dabc7d462f41d9d7aaa4e47fef658a8df935e151844"
    static let issuer = "https://sharedeus2.eus2.attest.azure.net"

    static func policyFile(_ name: String) -> String { Program.packageRoot.appending(path: "policies/release/\(name).json").path }

    /// Claims that the policy confidential-aci.json admits, with changes; `NSNull` removes one.
    static func claims(_ changes: [String: Any] = [:]) throws -> Data {
        var claims: [String: Any] = [
            "iss": issuer, "x-ms-attestation-type": "sevsnpvm", "x-ms-compliance-status": "azure-compliant-uvm",
            "x-ms-sevsnpvm-is-debuggable": false, "x-ms-sevsnpvm-vmpl": 0, "x-ms-sevsnpvm-hostdata": hostData,
        ]
        for (name, value) in changes { claims[name] = value is NSNull ? nil : value }
        return try JSONSerialization.data(withJSONObject: claims)
    }

    // MARK: digest

    @Test("digest of base64, Rego, a template and standard input; the traps are named on standard error") func digest() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let base64 = Data(Self.rego.utf8).base64EncodedString()
        let template = #"{"resources":[{"properties":{"confidentialComputeProperties":{"ccePolicy":"\#(base64)"}}}]}"#
        for (text, isDecoded) in [(base64, false), (Self.rego, true), (template, false)] {
            for result in [
                try Program.run(["policy", "digest", scratch.write("input", text)]),
                try Program.run(["policy", "digest", "-"], input: Data(text.utf8)),
                try Program.run(["policy", "digest"], input: Data(text.utf8)),
            ] {
                #expect(result.status == 0, "\(result.errors)")
                #expect(result.text == Self.hostData + "\n")
                #expect(result.errors.contains("already decoded") == isDecoded, "\(result.errors)")
            }
        }
        let windows = Data(Self.rego.replacing("\n", with: "\r\n").utf8)
        let result = try Program.run(["policy", "digest", "-", "--expect", Self.hostData], input: windows)
        #expect(result.status == 1)
        #expect(result.text != Self.hostData + "\n")
        #expect(result.errors.contains("CRLF"))
        #expect(result.errors.contains("that is this policy with LF line ends"))
        #expect(try Program.run(["policy", "digest", "-", "--expect", Self.hostData], input: Data(base64.utf8)).status == 0)
        let json = try Program.run(["policy", "digest", "-", "--json"], input: Data(template.utf8))
        let first = (json.object["policies"] as? [[String: Any]])?.first
        #expect(first?["host_data"] as? String == Self.hostData)
        #expect(first?["form"] as? String == "template")
        #expect((first?["place"] as? String)?.hasSuffix("ccePolicy") == true)
    }

    @Test("digest of what is no policy") func digestFailures() throws {
        #expect(try Program.run(["policy", "digest", "/nonexistent/policy"]).status == 2)
        #expect(try Program.run(["policy", "digest", "-"], input: Data("{}".utf8)).status == 2)
        #expect(try Program.run(["policy", "digest", "-"], input: Data()).status == 2)
        #expect(try Program.run(["policy", "digest", "-", "--form", "yaml"], input: Data("x".utf8)).status == 64)
        #expect(try Program.run(["policy", "digest", "-", "--expect", "12"], input: Data("x".utf8)).status == 64)
    }

    // MARK: new

    @Test("new writes a policy that lints clean and admits its deployment, with comments beside it") func new() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let template = try scratch.write("policy.rego", Self.rego)
        let output = scratch.directory.appending(path: "release.json")
        let result = try Program.run([
            "policy", "new", "--region", "eastus2", "--authority", "contoso.weu.attest.azure.net", "--template", template, "--minimum",
            "microcode=115", "--output", output.path,
        ])
        #expect(result.status == 0, "\(result.errors)")
        #expect(try Program.run(["policy", "lint", "--strict", output.path]).status == 0)
        let comments = try String(contentsOf: URL(filePath: output.path + ".md"), encoding: .utf8)
        #expect(comments.contains("`x-ms-sevsnpvm-hostdata`"))
        let good = try scratch.write("good.json", try Self.claims(["x-ms-sevsnpvm-microcode-svn": 115]))
        let old = try scratch.write("old.json", try Self.claims(["x-ms-sevsnpvm-microcode-svn": 114]))
        let explain = ["policy", "explain", "--policy", output.path, "--claims"]
        #expect(try Program.run(explain + [good.path]).status == 0)
        #expect(try Program.run(explain + [old.path]).status == 1)
        // The member of a key, which lint and explain read as well.
        let member = try Program.run(["policy", "new", "--region", "eastus2", "--host-data", Self.hostData, "--encoded"])
        #expect(member.object["immutable"] as? Bool == false)
        #expect(try Program.run(["policy", "lint", "-"], input: member.output).status == 0)
    }

    @Test("new refuses what would admit everybody or cannot be") func newRefusals() throws {
        let open = ["policy", "new", "--region", "eastus2"]
        let result = try Program.run(open)
        #expect(result.status == 64)
        #expect(result.errors.contains("admits any tenant's container group"))
        #expect(result.text.isEmpty)
        #expect(try Program.run(open + ["--admit-any-tenant"]).status == 0)
        for arguments in [
            ["--host-data", "12"], ["--vm-id", "B958DC88-E41D-47F1-8D20-E57B6B7E9825"], ["--minimum", "chip=1"], ["--vmpl", "4"],
            ["--for", "sgx"], ["--authority", "http://x.y"], ["--for", "cvm", "--host-data", Self.hostData],
        ] {
            let refused = try Program.run(open + ["--admit-any-tenant"] + arguments)
            #expect(refused.status == 64, "\(arguments): \(refused.text)")
            #expect(!refused.errors.isEmpty)
        }
        #expect(try Program.run(["policy", "new", "--host-data", Self.hostData]).status == 64)
        #expect(try Program.run(open + ["--template", "/nonexistent/template"]).status == 2)
    }

    // MARK: lint

    @Test("lint names file, line, rule and remedy, and its status says whether there are errors") func lint() throws {
        #expect(try Program.run(["policy", "lint", Self.policyFile("confidential-aci")]).text == "clean\n")
        let faulty = """
            {
              "version": "1.0.0",
              "allOf": [
                {"authority": "https://sharedeus2.weu2.attest.azure.net", "allOf": [
                  {"claim": "x-ms-sevsnpvm-hostdata", "equals": "\(Self.hostData)"}]}
              ]
            }
            """
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = try scratch.write("faulty.json", faulty)
        let result = try Program.run(["policy", "lint", file])
        #expect(result.status == 1)
        for words in [
            "\(file):3:3: error: ", "never \"allOf\"", "[top-level-all-of]", "\(file):4:6: error: ", "cannot exist",
            "write \"https://sharedeus2.eus2.attest.azure.net\"", "2 errors",
        ] { #expect(result.text.contains(words), "\(words): \(result.text)") }
        let json = try Program.run(["policy", "lint", "--json", file, Self.policyFile("confidential-vm")])
        #expect(json.status == 1)
        #expect(json.object["verdict"] as? String == "faulty")
        let findings = json.object["findings"] as? [[String: Any]] ?? []
        #expect(findings.first?["line"] as? Int == 3)
        #expect(Set(findings.compactMap { $0["file"] as? String }) == [file])
        let allowed = ["--allow", "top-level-all-of", "--allow", "authority-host-impossible"]
        #expect(try Program.run(["policy", "lint", file] + allowed).status == 0)
        #expect(try Program.run(["policy", "lint", file, "--strict"] + allowed).status == 1)
        #expect(try Program.run(["policy", "lint", file, "--allow", "nothing"]).status == 64)
        #expect(try Program.run(["policy", "lint"]).status == 64)
        #expect(try Program.run(["policy", "lint", "/nonexistent/policy"]).status == 2)
        #expect(try Program.run(["policy", "lint", "--rules"]).text.contains("admits-any-tenant"))
    }

    @Test("an immutable key with a finding can never be mended") func immutable() throws {
        let policy = try Data(contentsOf: URL(filePath: Self.policyFile("fixture-guest")))
        let bundle: [String: Any] = ["key": ["kid": "k"], "release_policy": ["data": policy.base64URL, "immutable": true]]
        let result = try Program.run(["policy", "lint", "-"], input: try JSONSerialization.data(withJSONObject: bundle))
        #expect(result.status == 1)
        #expect(result.text.contains("never be mended"))
    }

    // MARK: explain

    @Test("explain says why, in text and JSON, with the exit status of the verdict") func explain() throws {
        let arguments = ["policy", "explain", "--policy", Self.policyFile("confidential-aci"), "--claims", "-"]
        let good = try Program.run(arguments, input: try Self.claims())
        #expect(good.status == 0, "\(good.text)\(good.errors)")
        #expect(good.text.hasPrefix("SATISFIED"))
        let other = String(repeating: "ab", count: 32)
        let bad = try Program.run(arguments, input: try Self.claims(["x-ms-sevsnpvm-hostdata": other]))
        #expect(bad.status == 1)
        #expect(bad.text.hasPrefix("NOT SATISFIED"))
        #expect(!bad.text.contains("\u{1B}"))
        for words in ["[FAIL] x-ms-sevsnpvm-hostdata", "found   \"\(other)\"", "different-value", "Smallest change (1 step"] {
            #expect(bad.text.contains(words), "\(words): \(bad.text)")
        }
        let json = try Program.run(arguments + ["--json"], input: try Self.claims(["x-ms-sevsnpvm-hostdata": other]))
        #expect(json.status == 1)
        #expect(json.object["verdict"] as? String == "not-satisfied")
        let steps = (json.object["smallest_change"] as? [String: Any])?["steps"] as? [[String: Any]]
        #expect(steps?.first?["claim"] as? String == "x-ms-sevsnpvm-hostdata")
        #expect(steps?.first?["reason"] as? String == "different-value")
    }

    @Test("explain of live evidence says what cannot be known") func live() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let fixture = scratch.directory.appending(path: "fixture")
        try SharedFixture.copy(to: fixture)
        let arguments = [
            "policy", "explain", "--live", "--set", "evidence.use=fixture", "--set", "evidence.fixture.directory=\(fixture.path)", "--set",
            "verifier.maa.endpoint=sharedeus2.eus2.attest.azure.net", "--policy",
        ]
        // Without host data, only the compliance status is in the way.
        let policy = try Program.run(["policy", "new", "--region", "eastus2", "--admit-any-tenant"]).text
        let file = try scratch.write("policy.json", policy)
        let open = try Program.run(arguments + [file, "--json"])
        #expect(open.status == 1, "\(open.text)\(open.errors)")
        #expect(open.object["verdict"] as? String == "undecided")
        #expect(open.object["undecided_claims"] as? [String] == ["x-ms-compliance-status"])
        #expect(open.errors.contains("Unknown here: the compliance status"))
        let assumed = try Program.run(arguments + [file, "--assume", "x-ms-compliance-status=azure-compliant-uvm"])
        #expect(assumed.status == 0, "\(assumed.text)\(assumed.errors)")
        #expect(assumed.errors.contains("assumed, not attested"))
    }

    @Test("explain with inputs that are wrong") func explainFailures() throws {
        let policy = Self.policyFile("confidential-aci")
        let scratch = try Scratch()
        defer { scratch.remove() }
        let claims = try scratch.write("claims.json", try Self.claims()).path
        for (arguments, status) in [
            (["--policy", policy], 64), (["--policy", policy, "--claims", claims, "--token", claims], 64),
            (["--policy", "-", "--claims", "-"], 64), (["--policy", "/nonexistent/policy", "--claims", claims], 2),
            (["--policy", claims, "--claims", claims], 2), (["--policy", policy, "--claims", policy + "x"], 2),
            (["--policy", policy, "--token", claims], 2), (["--policy", policy, "--claims", claims, "--assume", "x"], 64),
        ] as [([String], Int32)] {
            let result = try Program.run(["policy", "explain"] + arguments)
            #expect(result.status == status, "\(arguments): \(result.text)\(result.errors)")
            #expect(!result.errors.isEmpty)
        }
    }
}
