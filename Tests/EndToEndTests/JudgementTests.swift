import Foundation
import Testing

/// The broker's own judgement: as options of `evidence verify`, as a gate before the store, as a route, and as a bundle for an auditor.
@Suite(.serialized) struct JudgementTests {
    /// `verifier.use` with the local verifier, which trusts the fixture.
    private static func gate(_ azure: LocalAzure, _ more: [String] = []) -> [String] {
        [
            "key-stores.use=mhsm", "verifier.use=maa,local", "verifier.local.uvm-endorsement=off",
            "verifier.local.root-file=\(azure.scratch.directory.path)/azure/fixture/fixture-ark.pem",
        ] + more
    }

    @Test("a gate with a revocation list of AMD's service lets an honest guest through, and says what it found") func gate() throws {
        let azure = try LocalAzure(["--verbose"])
        defer { azure.stop() }
        try azure.importKey("k", at: LocalAzure.managedHSM, SampleKeys.oct(32), policy: LocalAzure.policy())
        let broker = try azure.serve(Self.gate(azure, ["verifier.local.crl-check=required"]))
        let release = try broker.release("k")
        #expect(release.status == 200, "\(release.answer)")
        let verdict = try broker.post("/attest/verdict", ["runtime_data": "aGVsbG8="])
        #expect(verdict.status == 200 && verdict.object["verdict"] as? String == "verified", "\(verdict.object)")
        #expect(verdict.object["product"] as? String == "Milan" && (verdict.object["checks"] as? [Any] ?? []).count > 30)
        #expect((verdict.object["not_checked"] as? [[String: Any]] ?? []).contains { $0["code"] as? String == "measurement" })
        #expect(azure.requests("kds") == 1, "the list is fetched once")
        #expect(broker.program.stop() == 0)
    }

    @Test("a floor that the host misses stops the release, and the denial says what that means") func floor() throws {
        let azure = try LocalAzure(["--verbose"])
        defer { azure.stop() }
        try azure.importKey("k", at: LocalAzure.managedHSM, SampleKeys.oct(32), policy: LocalAzure.policy())
        let before = azure.requests("keys.release")
        let broker = try azure.serve(Self.gate(azure, ["verifier.local.floors=AMD-SB-3020"]))
        let release = try broker.release("k")
        #expect(release.key == nil && release.code == "verificationRejected", "\(release.answer)")
        let details = try #require(release.answer["details"] as? [String: Any])
        #expect(details["cause"] as? String == "evidence-rejected")
        #expect((details["next_steps"] as? [String])?.first?.contains("firmware") == true)
        #expect(release.error.contains("AMD-SB-3020"), "\(release.error)")
        #expect(azure.requests("keys.release") == before, "the store was not asked")
        #expect(broker.program.stop() == 0)
        #expect(broker.program.output.contains("verifiers disagree"))
    }

    @Test("reports of versions 6 and 7 release where the authority alone judges, and are unsupported for the gate") func versions() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        try azure.importKey("k", at: LocalAzure.managedHSM, SampleKeys.oct(32), policy: LocalAzure.policy())
        for version in [4, 5, 6, 7] {
            let alone = try azure.serve(["key-stores.use=mhsm", "evidence.fixture.version=\(version)"])
            let release = try alone.release("k")
            #expect(release.status == 200, "version \(version): \(release.answer)")
            let none = try alone.post("/attest/verdict", ["runtime_data": "aGVsbG8="])
            #expect(none.object["code"] as? String == "noProvider")
            #expect(alone.program.stop() == 0)
            let gated = try azure.serve(Self.gate(azure, ["evidence.fixture.version=\(version)"]))
            let refused = try gated.release("k")
            let verdict = try gated.post("/attest/verdict", ["runtime_data": "aGVsbG8="]).object["verdict"] as? String
            if version < 6 {
                #expect(refused.status == 200 && verdict == "verified", "version \(version): \(refused.answer)")
            } else {
                #expect(refused.key == nil && verdict == "unsupported", "version \(version): \(refused.answer)")
                #expect((refused.answer["details"] as? [String: Any])?["cause"] as? String == "evidence-unsupported")
            }
            #expect(gated.program.stop() == 0)
        }
    }

    @Test("a bundle verifies without a network, and any changed byte of it is named") func bundle() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let fixture = scratch.directory.appending(path: "fixture")
        try SharedFixture.copy(to: fixture)
        let policy = try scratch.write("policy.rego", "package policy\n")
        let file = scratch.directory.appending(path: "bundle.json")
        let settings = [
            "evidence.use=fixture", "evidence.fixture.directory=\(fixture.path)", "evidence.fixture.security-policy=\(policy)",
        ].flatMap { ["--set", $0] }
        let made = try Program.run(
            ["evidence", "get", "--bundle", file.path, "--security-policy", policy, "--json"] + settings)
        #expect(made.status == 0, "\(made.errors)")
        let verify = ["evidence", "verify", "--root", "\(fixture.path)/fixture-ark.pem", "--json", "--bundle"]
        let good = try Program.run(verify + [file.path])
        #expect(good.status == 0 && good.object["verdict"] as? String == "verified", "\(good.text)\(good.errors)")
        let content = try Data(contentsOf: file)
        // Places all over the document: every seventieth byte, another digit or letter in its place.
        for index in stride(from: 0, to: content.count, by: max(1, content.count / 70)) {
            var changed = content
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let path = try scratch.write("changed.json", changed).path
            let result = try Program.run(verify + [path])
            #expect(result.status == 1 || result.status == 2, "byte \(index): \(result.text)")
            let failures = result.object["failures"] as? [String] ?? []
            #expect(result.errors.count > 0 || !failures.isEmpty, "byte \(index) is not named")
        }
        #expect(try Program.run(["evidence", "verify", "--bundle", file.path, "--certs", "x"]).status == 64)
        #expect(try Program.run(["evidence", "get", "--crl", "x"]).status == 64)
        #expect(try Program.run(verify + [policy]).status == 2)
    }

    @Test("the pins and floors of the command line", .enabled(if: EvidenceFolder.exists, "../shared/evidence is not there"))
    func options() throws {
        let sample = try EvidenceFolder("azure-aci-scitt-20260302")
        let zeros = String(repeating: "0", count: 96)
        for (options, status, code) in [
            (["--minimum-tcb", "bl=10,tee=0,snp=23,ucode=84"], 0, nil), (["--minimum-tcb", "snp=24"], 1, "tcb-below-minimum"),
            (["--minimum-tcb", "fmc=1"], 1, "tcb-below-minimum"), (["--floor", "AMD-SB-3019"], 0, nil),
            (["--floor", "amd-sb-3019", "--floor", "AMD-SB-3020"], 1, "tcb-below-minimum"),
            (["--floor", "AMD-SB-3030"], 2, "floor-unknown"),
            (["--mitigations", "0x1"], 1, "mitigation-missing"), (["--platform-bits", "0x20"], 0, nil),
            (["--platform-bits", "0x40"], 1, "platform-bits-missing"), (["--crl-check", "required"], 1, "crl-missing"),
            (["--crl-check", "off"], 0, nil), (["--id-key-digest", zeros], 1, "id-key-digest-mismatch"),
            (["--author-key-digest", String(repeating: "1", count: 96)], 1, "author-key-digest-mismatch"),
            (["--crl", sample.file("ark.pem")], 1, "crl-malformed"),
        ] as [([String], Int32, String?)] {
            let result = try Program.run(sample.verifyArguments + options + ["--json"])
            #expect(result.status == status, "\(options): \(result.text)\(result.errors)")
            #expect(result.object["failures"] as? [String] == (code.map { [$0] } ?? []), "\(options)")
            let verdict = result.object["verdict"] as? String
            #expect(verdict == (status == 0 ? "verified" : status == 1 ? "rejected" : "unsupported"))
            #expect((result.object["not_checked"] as? [Any])?.isEmpty == false)
        }
        for options in [["--minimum-tcb", "psp=1"], ["--floor", "AMD-SB-1"], ["--mitigations", "x"], ["--id-key-digest", "00"]] {
            #expect(try Program.run(sample.verifyArguments + options).status == 64, "\(options)")
        }
        let text = try Program.run(sample.verifyArguments)
        #expect(text.text.contains("not checked: report-data, host-data") && text.text.contains("\nverified: Genoa, "))
        let page = try Program.run(sample.verifyArguments + ["--html", "-"])
        #expect(page.status == 0 && page.text.contains("Evidence: verified") && page.text.contains("Not checked"))
    }

    @Test(
        "a stale list that is allowed makes the verdict limited, with a status of its own",
        .enabled(if: EvidenceFolder.exists, "../shared/evidence is not there"))
    func limited() throws {
        let sample = try EvidenceFolder("azure-aci-scitt-20260302")
        let list =
            sample.directory.deletingLastPathComponent().deletingLastPathComponent().path + "/evidence-2026/amd-crl-2024-2025/genoa.crl.der"
        let arguments =
            ["evidence", "verify", "--report", sample.file("report.bin")] + sample.certificateArguments + ["--at", "2026-06-01T00:00:00Z"]
        let strict = try Program.run(arguments + ["--crl", list, "--json"])
        #expect(strict.status == 1 && strict.object["failures"] as? [String] == ["crl-stale"], "\(strict.text)\(strict.errors)")
        let stale = try Program.run(
            arguments + ["--crl", list, "--crl-check", "stale-ok", "--crl-stale-limit", "3650", "--json"])
        #expect(stale.status == 3 && stale.object["verdict"] as? String == "limited", "\(stale.text)\(stale.errors)")
        #expect((stale.object["left_out"] as? [[String: Any]])?.first?["code"] as? String == "crl-stale")
        #expect((stale.object["error"] as? [String: Any])?["exit_status"] as? Int == 3)
    }

    @Test("the table of products prints itself as a file of products that says the same") func products() throws {
        let text = try Program.run(["plugins", "show", "snp", "--products"])
        #expect(text.status == 0 && text.text.contains("Venice  (no root: unsupported)") && text.text.contains("floor AMD-SB-3019"))
        let json = try Program.run(["plugins", "show", "snp", "--products", "--json"])
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = try scratch.write("products.json", json.text)
        let again = try Program.run(["plugins", "show", "snp", "--products", "--products-file", file, "--json"])
        #expect(again.status == 0 && again.text == json.text, "\(again.errors)")
        let denied = try scratch.write("denied.json", #"{"products": [{"name": "Milan", "deny": true}]}"#)
        let changed = try Program.run(["plugins", "show", "snp", "--products", "--products-file", denied])
        #expect(changed.text.contains("Milan  (denied)"))
        let wrong = try scratch.write("wrong.json", #"{"products": [{"name": "Verona"}]}"#)
        #expect(try Program.run(["plugins", "show", "snp", "--products", "--products-file", wrong]).status == 2)
        let serve = try Program.run(["plugins", "probe", "--set", "evidence.products-file=\(wrong)"])
        #expect(serve.status == 78, "\(serve.errors)")
    }
}
