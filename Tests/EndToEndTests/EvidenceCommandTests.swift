import Foundation
import Testing

/// `evidence verify` on every report of the evidence folder, as a user runs it.
@Suite(.enabled(if: EvidenceFolder.exists, "../shared/evidence is not there")) struct EvidenceCommandTests {
    @Test("each report gets the verdict of its expected.json", arguments: EvidenceFolder.withReport) func verdicts(_ name: String) throws {
        let sample = try EvidenceFolder(name)
        let result = try Program.run(sample.verifyArguments + ["--allow-debug", "--json"])
        let shouldVerify = sample.flag("signature_valid") && sample.flag("chain_valid")
        #expect(result.status == (shouldVerify ? 0 : 1), "\(result.text)\(result.errors)")
        #expect(result.object["verdict"] as? String == (shouldVerify ? "verified" : "rejected"))
        if !shouldVerify { #expect((result.object["failures"] as? [String])?.contains("report-signature") == true) }
    }

    @Test("every described mutation is rejected and named", arguments: EvidenceFolder.signed) func mutations(_ name: String) throws {
        let sample = try EvidenceFolder(name)
        let scratch = try Scratch()
        defer { scratch.remove() }
        let original = try Data(contentsOf: sample.directory.appending(path: "report.bin"))
        for (mutation, code, change) in Mutation.all {
            var report = original
            change(&report)
            let file = try scratch.write("report.bin", report)
            let result = try Program.run(
                ["evidence", "verify", "--report", file.path] + sample.certificateArguments + ["--at", sample.timeInsideValidity, "--json"])
            let failures = result.object["failures"] as? [String] ?? []
            #expect(result.status == 1, "\(name) \(mutation): \(result.text)\(result.errors)")
            #expect(failures.contains(code), "\(name) \(mutation): \(failures)")
        }
    }

    @Test("a guest that allows debugging is rejected unless it is allowed") func debug() throws {
        let sample = try EvidenceFolder("google-milan-v2-gosevguest")
        let strict = try Program.run(sample.verifyArguments + ["--json"])
        #expect(strict.status == 1)
        #expect(strict.object["failures"] as? [String] == ["debug-allowed"])
        #expect(try Program.run(sample.verifyArguments + ["--allow-debug"]).status == 0)
    }

    @Test("without --at certificates are judged now") func expired() throws {
        let sample = try EvidenceFolder("aws-milan-v3-vlek-trustee")
        let result = try Program.run(
            ["evidence", "verify", "--report", sample.file("report.bin")] + sample.certificateArguments + ["--json"])
        #expect(result.status == 1)
        #expect(result.object["failures"] as? [String] == ["certificate-expired"])
    }

    @Test("the options add their comparisons") func comparisons() throws {
        let sample = try EvidenceFolder("azure-aci-milan-v2-2023")
        let report = try #require(sample.expected["report"] as? [String: Any])
        let right = [
            "--security-policy", sample.file("security-policy-base64.txt"), "--report-data", try #require(report["report_data"] as? String),
            "--measurement", try #require(report["measurement"] as? String), "--vmpl", "0",
        ]
        #expect(try Program.run(sample.verifyArguments + right).status == 0)
        let zeros = String(repeating: "0", count: 96)
        let scratch = try Scratch()
        defer { scratch.remove() }
        for (option, value, code) in try [
            ("--security-policy", scratch.write("other.rego", "package other\n"), "host-data-mismatch"),
            ("--host-data", String(zeros.prefix(64)), "host-data-mismatch"), ("--report-data", "00", "report-data-mismatch"),
            ("--runtime-data", sample.file("report.bin"), "report-data-mismatch"), ("--measurement", zeros, "measurement-mismatch"),
            ("--vmpl", "1", "vmpl-mismatch"),
        ] {
            let result = try Program.run(sample.verifyArguments + [option, value, "--json"])
            #expect(result.status == 1)
            #expect(result.object["failures"] as? [String] == [code], "\(option): \(result.text)\(result.errors)")
        }
        let runtime = try EvidenceFolder("azure-cvm-milan-v3-hcl-trustee-v1")
        #expect(try Program.run(runtime.verifyArguments + ["--runtime-data", runtime.file("variable-data.json")]).status == 0)
    }

    @Test("the THIM document, DER, shuffled and repeated certificates are accepted") func certificateForms() throws {
        let sample = try EvidenceFolder("azure-aci-milan-v2-2023")
        let base = ["evidence", "verify", "--report", sample.file("report.bin"), "--at", sample.timeInsideValidity]
        #expect(try Program.run(base + ["--certs", sample.file("host-amd-cert.json")]).status == 0)
        let shuffled = ["ark.pem", "vcek.pem", "ask.pem", "vcek.pem"].flatMap { ["--certs", sample.file($0)] }
        let stranger = try EvidenceFolder("baremetal-turin-v5-routex")
        #expect(try Program.run(base + shuffled + ["--certs", stranger.file("vcek.pem")]).status == 0)
        let scratch = try Scratch()
        defer { scratch.remove() }
        let der = scratch.directory.appending(path: "vcek.der").path
        let openssl = try Program.run(
            ["x509", "-in", sample.file("vcek.pem"), "-outform", "DER", "-out", der], executable: URL(filePath: "/usr/bin/openssl"))
        #expect(openssl.status == 0)
        let mixed = ["--certs", der, "--certs", sample.file("ask.pem"), "--certs", sample.file("ark.pem")]
        #expect(try Program.run(base + mixed).status == 0)
    }

    @Test("the utility VM's endorsement is judged with the report that it endorses") func platformEndorsement() throws {
        let sample = try EvidenceFolder("azure-aci-milan-v2-2023")
        for file in ["reference-info.cose", "reference-info-base64.txt"] {
            let result = try Program.run(sample.verifyArguments + ["--uvm", sample.file(file), "--json"])
            #expect(result.status == 0, "\(result.text)\(result.errors)")
            #expect((result.object["uvm_endorsement"] as? [String: Any])?["svn"] as? String == "22")
        }
        let other = try EvidenceFolder("azure-aci-scitt-20260302")
        let foreign = try Program.run(sample.verifyArguments + ["--uvm", other.file("reference-info.cose"), "--json"])
        #expect(foreign.status == 1)
        #expect(foreign.object["failures"] as? [String] == ["uvm-measurement"])
        #expect(try Program.run(other.verifyArguments + ["--uvm", other.file("reference-info.cose")]).status == 0)
    }

    @Test("receipts count with pinned ledgers, and a trust list with a named issuer") func receipts() throws {
        // Any report will do: only the measurement is not the endorsed one.
        let any = try EvidenceFolder("azure-aci-milan-v2-2023")
        let of2026 = any.directory.deletingLastPathComponent().deletingLastPathComponent().appending(path: "evidence-2026").path
        let ledger = "esrp-cts-db.confidential-ledger.azure.com"
        let good = "\(of2026)/uvm-endorsement-transparent-20260326-dc3f5a93"
        let grafted = "\(of2026)/negative-uvm-endorsement-grafted-receipt"
        let list = "\(of2026)/caci-transparency-trust-list-20260616/ttl.cose"
        let issuer =
            "did:x509:0:sha256:wVkSM46SDpw4LuyEYoH6r5ym07whL5lWxNlGN-UPtf4::eku:1.3.6.1.4.1.311.10.3.13 "
            + "acidevacr.azurecr.io/internal/aci/aci-cc-ttl"
        func failures(_ folder: String, _ options: [String]) throws -> [String] {
            let result = try Program.run(any.verifyArguments + ["--uvm", "\(folder)/reference-info.cose", "--json"] + options)
            return (result.object["failures"] as? [String] ?? [result.errors]).filter { $0 != "uvm-measurement" }
        }
        #expect(try failures(good, ["--receipts", "\(good)/ledger-jwks.json"]) == [])
        #expect(try failures(good, ["--receipts", "\(ledger)=\(good)/ledger-jwks.json"]) == [])
        #expect(try failures(good, ["--receipts", "ledger.example=\(good)/ledger-jwks.json"]) == ["uvm-receipt"])
        #expect(try failures(grafted, ["--receipts", "\(grafted)/ledger-jwks.json"]) == ["uvm-receipt"])
        #expect(try failures(good, ["--receipts", list]) == ["uvm-receipt", "trust-list-issuer"])
        #expect(try failures(good, ["--receipts", list, "--trust-list-issuer", issuer]) == [])
        #expect(try failures(grafted, ["--receipts", list, "--trust-list-issuer", issuer]) == ["uvm-receipt"])
        #expect(try failures(good, ["--tcb-reference", list]) == [])
        #expect(try failures(good, ["--tcb-reference", list, "--tcb-reference-issuer", issuer]) == [])
        #expect(
            try failures(good, ["--platform-reference", list, "--platform-reference-issuer", issuer + " 1"]) == [
                "platform-reference-issuer"
            ])
        let shown = try Program.run(any.verifyArguments + ["--uvm", "\(good)/reference-info.cose", "--json", "--receipts", list])
        #expect(((shown.object["trust_list"] as? [String: Any])?["ledgers"] as? [Any])?.count == 3, "\(shown.object)")
        #expect(try Program.run(any.verifyArguments + ["--receipts", list]).status == 64)
        #expect(
            try Program.run(any.verifyArguments + ["--uvm", "\(good)/reference-info.cose", "--receipts", any.file("ask.pem")]).status == 2)
    }

    @Test("show prints the fields") func show() throws {
        let sample = try EvidenceFolder("baremetal-turin-v5-routex")
        let result = try Program.run(["evidence", "show", sample.file("report.bin"), "--json"])
        let wanted = try #require(sample.expected["report"] as? [String: Any])
        for field in ["measurement", "host_data", "report_data", "chip_id", "report_id", "current_version"] {
            #expect(result.object[field] as? String == wanted[field] as? String, "\(field)")
        }
        let tcb = try #require(wanted["reported_tcb"] as? [String: Any])
        for component in ["fmc", "bootloader", "tee", "snp", "microcode"] {
            #expect((result.object["reported_tcb"] as? [String: Any])?[component] as? Int == tcb[component] as? Int)
        }
    }

    @Test("each ok reads forwards, and what failed is named by its code") func words() throws {
        let sample = try EvidenceFolder("google-milan-v2-gosevguest")
        let strict = try Program.run(sample.verifyArguments)
        #expect(strict.text.contains("ok      the report's signature is the leaf's"), "\(strict.text)")
        #expect(strict.text.contains("FAILED  debug-allowed "), "\(strict.text)")
        let codes = try Program.run(sample.verifyArguments + ["--json"]).object["checks"] as? [[String: Any]] ?? []
        #expect(codes.count > 20)
        for line in strict.text.split(separator: "\n") where line.hasPrefix("ok ") {
            for code in codes.compactMap({ $0["code"] as? String }) { #expect(!line.hasPrefix("ok      \(code)"), "\(line)") }
        }
    }

    @Test("files that are not there, or not certificates") func badFiles() throws {
        let sample = try EvidenceFolder("azure-aci-milan-v2-2023")
        let missing = try Program.run(["evidence", "verify", "--report", "/nonexistent/report", "--certs", sample.file("ark.pem")])
        #expect(missing.status == 2)
        #expect(missing.errors.contains("/nonexistent/report"))
        let verify = ["evidence", "verify", "--report", sample.file("report.bin")]
        // What is none is refused, and not judged; what is one and broken is judged.
        let garbage = try Program.run(verify + ["--certs", sample.file("report.bin"), "--json"])
        #expect(garbage.status == 2 && garbage.errors.contains("an attestation report"), "\(garbage.errors)")
        let scratch = try Scratch()
        defer { scratch.remove() }
        let pem = try String(contentsOfFile: sample.file("ark.pem"), encoding: .utf8).replacing("MII", with: "MIJ", maxReplacements: 1)
        let broken = try Program.run(verify + ["--certs", scratch.write("ark.pem", pem), "--json"])
        #expect(broken.status == 1)
        #expect((broken.object["failures"] as? [String])?.contains("certificate-malformed") == true)
        for option in ["--uvm", "--security-policy"] {
            let other = try Program.run(verify + sample.certificateArguments + [option, sample.file("report.bin")])
            #expect(other.status == 2 && other.errors.contains("looks like an attestation report"), "\(option): \(other.errors)")
        }
        #expect(try Program.run(["evidence", "verify"]).status == 64)
    }
}

/// The changes that `negative_mutations` of each expected.json describes, and the code that must name each.
struct Mutation {
    static var all: [(name: String, code: String, change: (inout Data) -> Void)] {
        [
            ("tamper_report_data", "report-signature", { $0[0x50] ^= 1 }), ("tamper_measurement", "report-signature", { $0[0x90] ^= 1 }),
            ("tamper_policy_debug", "report-signature", { $0[0x0A] ^= 8 }), ("tamper_reported_tcb", "tcb-mismatch", { $0[0x180] ^= 1 }),
            ("tamper_chip_id", "report-signature", { $0[0x1A0] ^= 1 }), ("tamper_sig_r", "report-signature", { $0[0x2A0] ^= 1 }),
            ("tamper_sig_s", "report-signature", { $0[0x2E8] ^= 1 }),
            ("sig_r_zero", "signature-range", { data in for index in 0x2A0..<0x2E8 { data[index] = 0 } }),
            ("truncate", "report-length", { $0.removeLast() }), ("extend", "report-length", { $0.append(0) }),
            ("sig_reserved", "signature-reserved-nonzero", { $0[0x330] = 1 }),
            ("unknown_sig_algo", "signature-algorithm", { data in for index in 0x34..<0x38 { data[index] = 0 } }),
            (
                "swap_r_s", "report-signature",
                { data in
                    let r = data[0x2A0..<0x2E8]
                    let s = data[0x2E8..<0x330]
                    data.replaceSubrange(0x2A0..<0x330, with: Data(s) + Data(r))
                }
            ),
        ]
    }
}

/// One folder of the evidence samples, which lie beside the project and are never copied into it.
struct EvidenceFolder {
    static let root = Program.packageRoot.deletingLastPathComponent().appending(path: "shared/evidence")
    static var exists: Bool { FileManager.default.fileExists(atPath: root.path) }
    static var withReport: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return names.sorted().filter { FileManager.default.fileExists(atPath: root.appending(path: "\($0)/report.bin").path) }
    }

    /// Those whose report has a good signature to break.
    static var signed: [String] { withReport.filter { (try? EvidenceFolder($0))?.flag("signature_valid") == true } }

    let directory: URL
    let expected: [String: Any]

    init(_ name: String) throws {
        directory = Self.root.appending(path: name)
        let data = try Data(contentsOf: directory.appending(path: "expected.json"))
        expected = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }

    func file(_ name: String) -> String { directory.appending(path: name).path }

    func flag(_ name: String) -> Bool { (expected["verification"] as? [String: Any])?[name] as? Bool ?? false }

    var certificateArguments: [String] {
        ["vcek.pem", "vlek.pem", "ask.pem", "asvk.pem", "ark.pem"].filter { FileManager.default.fileExists(atPath: file($0)) }.flatMap {
            ["--certs", file($0)]
        }
    }

    /// A day after the leaf's first one.
    var timeInsideValidity: String {
        let leaf = expected["leaf_certificate"] as? [String: Any]
        let start = (leaf?["not_before"] as? String).flatMap { try? Date($0, strategy: .iso8601) } ?? Date()
        return start.addingTimeInterval(86400).formatted(.iso8601)
    }

    var verifyArguments: [String] {
        ["evidence", "verify", "--report", file("report.bin")] + certificateArguments + ["--at", timeInsideValidity]
    }
}
