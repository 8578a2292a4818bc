import Foundation
import OpenSSLCrypto
import SNPReport
import Testing

@testable import SNPFixture

/// `doctor` finds what stands in the way of a release, and nothing where nothing does.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DoctorTests {
    private struct Examination {
        let status: Int32
        let findings: [(verdict: String, subject: String, text: String, next: String?)]
        let output: String

        init(_ arguments: [String], environment: [String: String] = [:]) throws {
            let result = try Program.run(["doctor", "--json"] + arguments, environment: environment)
            status = result.status
            output = result.text + result.errors
            findings = (result.object["findings"] as? [[String: Any]] ?? []).map { finding in
                (
                    finding["verdict"] as? String ?? "", finding["subject"] as? String ?? "", finding["text"] as? String ?? "",
                    finding["next"] as? String
                )
            }
            let problems = findings.count { $0.verdict == "problem" }
            #expect(result.object["problems"] as? Int == problems, "\(output)")
            #expect((status == 1) == (problems > 0), "\(output)")
        }

        func has(_ verdict: String, _ subject: String, _ text: String = "") -> Bool {
            findings.contains { $0.verdict == verdict && $0.subject == subject && (text.isEmpty || $0.text.contains(text)) }
        }
    }

    private func configuration(_ azure: LocalAzure) throws -> [String] {
        let file = try azure.scratch.write("doctor.json", try JSONSerialization.data(withJSONObject: azure.configuration))
        return ["--config", file.path]
    }

    @Test("against services that work there is no problem, and a key's policy is judged with a real token") func healthy() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let options = try configuration(azure)
        let key = SampleKeys.oct(32)
        try azure.importKey("mine", at: LocalAzure.managedHSM, key, policy: LocalAzure.policy())
        try azure.importKey(
            "theirs", at: LocalAzure.managedHSM, key, policy: LocalAzure.policy([["claim": "x-ms-sevsnpvm-vmpl", "equals": "3"]]))
        try azure.importKey("fixed", at: LocalAzure.managedHSM, key, policy: nil, exportable: false)
        let store = ["--store", LocalAzure.managedHSM]

        let good = try Examination(options + ["--key", "mine"] + store)
        #expect(good.status == 0, "\(good.output)")
        for (subject, text) in [
            ("network", LocalAzure.vault), ("network", LocalAzure.authority), ("clock", "within"), ("identity", "given out"),
            ("token", "verifies"), ("policy", "satisfied"), ("trust store", "ca.pem"), ("release", "opened and forgotten"),
        ] { #expect(good.has("ok", subject, text), "\(subject) \(text): \(good.output)") }
        #expect(good.has("warning", "evidence", "proves nothing"))

        let bad = try Examination(options + ["--key", "theirs"] + store)
        #expect(bad.status == 1 && bad.has("problem", "policy", "x-ms-sevsnpvm-vmpl"), "\(bad.output)")
        #expect(bad.has("consequence", "release") && bad.findings.count { $0.verdict == "problem" } == 1)
        let unnamed = try Examination(options)
        #expect(unnamed.status == 0 && unnamed.has("warning", "release", "could not be tested"), "\(unnamed.output)")
        let unreleasable = try Examination(options + ["--key", "fixed"] + store)
        #expect(unreleasable.has("problem", "key", "not releasable"), "\(unreleasable.output)")
        #expect(try Examination(options + ["--key", "absent"] + store).has("problem", "key", "404"))
    }

    @Test("offline asks nobody, and what only the authority can say stays open") func offline() throws {
        let azure = try LocalAzure(["--verbose"])
        defer { azure.stop() }
        let options = try configuration(azure)
        let before = azure.answered
        let examination = try Examination(options + ["--offline", "--policy", PolicyCommandTests.policyFile("fixture-guest")])
        #expect(examination.status == 0, "\(examination.output)")
        #expect(examination.has("ok", "policy", "satisfied"))
        let open = try scratchPolicy(azure, [["claim": "x-ms-compliance-status", "equals": "azure-compliant-uvm"]])
        let undecided = try Examination(options + ["--offline", "--policy", open])
        #expect(undecided.status == 0 && undecided.has("warning", "policy", "only the authority"), "\(undecided.output)")
        #expect(azure.answered == before)
        let usage = try Program.run(["doctor", "--offline", "--key", "mine"] + options)
        #expect(usage.status == 64)
    }

    private func scratchPolicy(_ azure: LocalAzure, _ clauses: [[String: String]]) throws -> String {
        try azure.scratch.write("policy.json", try JSONSerialization.data(withJSONObject: LocalAzure.policy(clauses))).path
    }

    @Test("services that cannot be reached or believed are problems with a next step") func network() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let options = try configuration(azure)
        let closed = try Examination(
            options + [
                "--set",
                "tls.connect-to=169.254.169.254:80:127.0.0.1:\(azure.metadataPort),contoso.vault.azure.net:443:127.0.0.1:1,::127.0.0.1:\(azure.tlsPort)",
            ])
        let refused = closed.findings.first { $0.verdict == "problem" }
        #expect(closed.findings.count { $0.verdict == "problem" } == 1, "\(closed.output)")
        #expect(refused?.subject == "network" && refused?.text.contains(LocalAzure.vault) == true, "\(closed.output)")
        #expect(refused?.next?.contains("443") == true)

        // The system's own authorities do not know the simulators'.
        let stranger = try Examination(options + ["--set", "tls.ca-file="])
        #expect(stranger.has("problem", "network", "TLS"), "\(stranger.output)")
        #expect(stranger.has("consequence", "verifier") && stranger.findings.count { $0.verdict == "problem" } == 1)
        #expect(stranger.findings.first { $0.verdict == "problem" }?.next?.contains("tls.ca-file") == true)
        let nameless = try Examination(
            options + ["--set", "tls.connect-to=169.254.169.254:80:127.0.0.1:\(azure.metadataPort),::does-not-exist.invalid:443"])
        #expect(nameless.findings.count { $0.verdict == "problem" } == 1, "\(nameless.output)")
        #expect(nameless.findings.first { $0.verdict == "problem" }?.next?.contains("resolv.conf") == true)
    }

    @Test("a probe is given two seconds and asks for no attestation and no release; who waits is told what for") func slow() throws {
        let azure = try LocalAzure(["--verbose"])
        defer { azure.stop() }
        let options = try configuration(azure)
        let listener = try SilentListener()
        let silent = [
            "--set",
            "tls.connect-to=169.254.169.254:80:127.0.0.1:\(azure.metadataPort),contoso.vault.azure.net:443:127.0.0.1:\(listener.port),"
                + "::127.0.0.1:\(azure.tlsPort)",
        ]
        let quick = try Examination(options + ["--quick"])
        #expect(quick.status == 0 && !quick.findings.contains { $0.subject == "token" || $0.subject == "release" }, "\(quick.output)")
        let hanging = try Examination(options + ["--quick"] + silent)
        #expect(hanging.status == 1 && hanging.has("problem", "network", LocalAzure.vault), "\(hanging.output)")
        #expect(azure.requests("maa.attest") == 0 && azure.requests("keys.release") == 0)
        let patient = try Examination(options + silent + ["--set", "server.request-timeout=5s"])
        #expect(patient.output.contains("doctor: still asking the services"), "\(patient.output)")
        #expect(try Program.run(["doctor", "--quick", "--key", "mine"] + options).status == 64)
    }

    @Test("the chain is one line that marks the first broken link, and the page says the same") func page() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let options = try configuration(azure)
        let text = try Program.run(["doctor", "--set", "identity.client-id=nobody"] + options).text
        #expect(
            text.contains(/\ndevice [a-z]+ → endorsements ok → verifier ok → identity BROKEN → store ok → policy not reached\n/), "\(text)")
        #expect(text.contains("first fix this: identity: "))
        let policy = try azure.scratch.write("<img src=x>.json", try JSONSerialization.data(withJSONObject: LocalAzure.policy()))
        let file = azure.scratch.directory.appending(path: "doctor.html")
        let result = try Program.run(["doctor", "--html", file.path, "--policy", policy.path] + options)
        let page = try Data(contentsOf: file)
        let html = String(decoding: page, as: UTF8.self)
        #expect(result.status == 0 && html.contains("&lt;img src=x&gt;.json") && !html.contains("<img"), "\(result.errors)")
        if Chromium.isInstalled {
            let visit = try Chromium.visit(page)
            #expect(visit.requests == [] && visit.console == [])
        }
    }

    @Test("an identity that is not there is a problem, and its token is nowhere") func identity() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let options = try configuration(azure)
        let examination = try Examination(options + ["--set", "identity.client-id=nobody"])
        #expect(examination.has("problem", "identity", "no such managed identity"), "\(examination.output)")
        #expect(!examination.output.contains("eyJ"))
        let none = try Examination(options + ["--set", "identity.use=none"])
        #expect(none.status == 0 && none.has("ok", "identity", "bring an access token"), "\(none.output)")
    }

    @Test(
        "a clock that is wrong is found by comparing it", .enabled(if: EmulatedGuest.isPossible, EmulatedGuest.condition),
        arguments: [("600", "ahead"), ("-600", "behind")]) func clock(shift: String, words: String) throws
    {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let library = azure.scratch.directory.appending(path: "clock.so").path
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Emulator/clock.c").path
        let made = try Program.run(
            ["-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source, "-ldl"], executable: URL(filePath: "/usr/bin/gcc"))
        #expect(made.status == 0, "\(made.errors)")
        let examination = try Examination(try configuration(azure), environment: ["LD_PRELOAD": library, "CLOCK_SHIFT": shift])
        #expect(examination.has("problem", "clock", words), "\(examination.output)")
    }

    @Test(
        "a guest: device, report, context and the source of its endorsements",
        .enabled(if: EmulatedGuest.isPossible, EmulatedGuest.condition)) func guest() throws
    {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let guest = try EmulatedGuest(scratch)
        let context = scratch.directory.appending(path: "context")
        try FileManager.default.createDirectory(at: context, withIntermediateDirectories: true)
        try Data(Data("package policy".utf8).base64EncodedString().utf8).write(to: context.appending(path: "security-policy-base64"))

        let good = try Examination(["--offline"], environment: guest.environment())
        #expect(good.status == 0, "\(good.output)")
        #expect(good.has("ok", "device", "/dev/sev-guest"))
        #expect(good.has("ok", "report", guest.chip.tcb.hex))
        #expect(good.has("ok", "endorsements", "report: a chain that verifies"))
        #expect(good.has("ok", "endorsements", "kds: not asked"))

        let odd = try Examination(
            ["--offline"], environment: guest.environment(hasTable: false, ["UVM_SECURITY_CONTEXT_DIR": context.path]))
        #expect(odd.has("warning", "security context", "host data"), "\(odd.output)")
        #expect(odd.has("warning", "endorsements", "nothing on this machine"), "\(odd.output)")

        let missing = try Examination(
            ["--offline"], environment: guest.environment("sev-guest", ["UVM_SECURITY_CONTEXT_DIR": "/nonexistent"]))
        #expect(missing.has("problem", "start", "UVM_SECURITY_CONTEXT_DIR"), "\(missing.output)")

        let wiped = try Examination(["--offline"], environment: guest.environment(faults: "ENOTTY,ENOTTY"))
        #expect(wiped.has("problem", "report", "wiped the guest's key"), "\(wiped.output)")

        let none = try Examination(["--offline"], environment: ["BROKER_EVIDENCE_USE": "snp"])
        #expect(none.has("problem", "device", "no SEV-SNP guest interface"), "\(none.output)")
    }
}

/// Takes connections, and says nothing.
private final class SilentListener {
    private let descriptor: Int32
    let port: Int

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 16) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        try #require(isListening)
    }

    deinit { close(descriptor) }
}
