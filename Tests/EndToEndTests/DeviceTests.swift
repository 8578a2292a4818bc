import Foundation
import OpenSSLCrypto
import SNPReport
import SNPVerification
import Testing

@testable import SNPFixture

/// The provider `snp` against stand-ins of the three interfaces.
@Suite(
    .serialized, .timeLimit(.minutes(5)), .enabled(if: EmulatedGuest.isPossible, EmulatedGuest.condition))
struct DeviceTests {
    private static let interfaces = ["sev-guest", "sev-legacy", "configfs-tsm"]

    private func report(_ guest: EmulatedGuest, _ environment: [String: String], _ options: [String] = []) throws -> (
        status: Int32, report: [UInt8], errors: String
    ) {
        let result = try Program.run(["evidence", "get"] + options, environment: environment)
        return (result.status, Hex.decode(result.text.filter { !$0.isWhitespace }) ?? [], result.errors)
    }

    private func verify(_ report: [UInt8], _ guest: EmulatedGuest) -> VerificationResult {
        var policy = EvidenceVerifier.Policy(time: Int64(Date().timeIntervalSince1970))
        policy.roots = [PinnedRoot(name: "test", product: .milan, certificate: guest.chip.chain[2])]
        policy.expectedReportData = DigestAlgorithm.sha256.digest([UInt8]()) + [UInt8](repeating: 0, count: 32)
        return EvidenceVerifier().verify(report: report, certificates: guest.chip.chain, policy: policy)
    }

    @Test("each interface gives a report that verifies", arguments: interfaces) func success(interface: String) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let guest = try EmulatedGuest(scratch)
        for choice in ["auto", interface] {
            let (status, report, errors) = try report(guest, guest.environment(interface), ["--set", "evidence.snp.interface=\(choice)"])
            #expect(status == 0, "\(errors)")
            let result = verify(report, guest)
            #expect(result.isVerified, "\(result.failures)")
        }
        let other = try report(
            guest, guest.environment(interface),
            ["--set", "evidence.snp.interface=\(interface == "sev-guest" ? "sev-legacy" : "sev-guest")"])
        #expect(other.status == 2 && other.errors.contains("no SEV-SNP guest interface"), "\(other.errors)")
    }

    @Test(
        "what goes away is tried again",
        arguments: [
            ("sev-guest", "EAGAIN,EBUSY"), ("sev-guest", "EIO-BUSY"), ("sev-guest", "EIO-LENGTH"), ("sev-legacy", "EAGAIN,EBUSY"),
            ("configfs-tsm", "BUMP"), ("configfs-tsm", "EBUSY"),
        ]) func transient(interface: String, faults: String) throws
    {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let guest = try EmulatedGuest(scratch)
        let (status, report, errors) = try report(guest, guest.environment(interface, faults: faults))
        #expect(status == 0, "\(errors)")
        #expect(verify(report, guest).isVerified)
    }

    @Test(
        "what does not go away is said in words, at once",
        arguments: [
            ("sev-guest", "ENOTTY,ENOTTY", "wiped the guest's key"), ("sev-guest", "EIO-FIRMWARE", "status 27, invalid metadata entry"),
            ("sev-guest", "EACCES", "give the container the device"), ("sev-guest", "SHORT", "1183 bytes"),
            ("sev-guest", "OTHER", "other data"), ("sev-legacy", "ENOTTY", "wiped the guest's key"), ("sev-legacy", "SHORT", "1183 bytes"),
            ("sev-legacy", "EACCES", "give the container the device"), ("configfs-tsm", "EACCES", "belong to root"),
            ("configfs-tsm", "SHORT", "1183 bytes"), ("configfs-tsm", "OTHER", "other data"),
        ]) func permanent(interface: String, faults: String, words: String) throws
    {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let guest = try EmulatedGuest(scratch)
        let (status, report, errors) = try report(guest, guest.environment(interface, faults: faults))
        #expect(status == 2 && report.isEmpty)
        #expect(errors.contains(words), "\(errors)")
        #expect(!errors.contains("tried"), "\(errors)")
    }

    @Test("a firmware that hangs costs each request its deadline and no more, and everything else is served") func hang() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let guest = try EmulatedGuest(scratch)
        let broker = try Broker(
            ["serve"],
            environment: guest.environment(faults: "HANG", ["BROKER_SERVER_HTTP": "127.0.0.1:0", "BROKER_SERVER_REQUEST_TIMEOUT": "500ms"]))
        // The first look at start-up, or the first request, meets the fault; the others wait for their turn.
        let answers = try (0..<2).map { _ in try broker.post("/attest/raw", ["runtime_data": "AAAA"]) }
        #expect(answers.allSatisfy { $0.status == 403 && $0.object["code"] as? String == "deadlineExceeded" })
        #expect(try broker.get("/status").status == 200)
        #expect(try broker.get("/readyz").status == 503)
    }

    @Test("a thousand reports leave no descriptor open", arguments: interfaces) func descriptors(interface: String) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let guest = try EmulatedGuest(scratch)
        let broker = try Broker(["serve"], environment: guest.environment(interface, ["BROKER_SERVER_HTTP": "127.0.0.1:0"]))
        func open() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/\(broker.program.identifier)/fd").count }
        #expect(try broker.post("/attest/raw", ["runtime_data": "AAAA"]).status == 200)
        func bench(_ count: Int) throws -> Int? {
            let result = try Program.run(
                [
                    "--json", "--url", "http://127.0.0.1:\(broker.port)/attest/raw", "--body", #"{"runtime_data":"AAAA"}"#,
                    "--requests", "\(count)", "--duration", "120", "--warm-up", "0",
                ], executable: Program.executable("broker-load"))
            return result.object["succeeded"] as? Int
        }
        #expect(try bench(10) == 10)
        let before = try open()
        #expect(try bench(1000) == 1000)
        #expect(try open() <= before)
    }

    /// What the original takes: the base64 of its arguments, and a security context. Nothing else but what leads names of Azure to the simulators.
    private struct Group {
        let azure: LocalAzure
        let guest: EmulatedGuest
        let hostData: [UInt8]
        let context: URL

        init(_ options: [String] = []) throws {
            let policy = Data("package policy\n\napi_version := \"0.10.0\"\n".utf8)
            let hostData = DigestAlgorithm.sha256.digest(Array(policy))
            self.hostData = hostData
            var made: EmulatedGuest?
            azure = try LocalAzure(["--verbose"] + options) { scratch, fixture in
                let guest = try EmulatedGuest(scratch, fixtureDirectory: fixture.path, hostData: hostData)
                made = guest
                let chain = try scratch.write("chain.pem", guest.chip.chain.map(\.pem).joined(separator: "\n"))
                return ["--endorsements", chain]
            }
            guest = try #require(made)
            context = azure.scratch.directory.appending(path: "context")
            try FileManager.default.createDirectory(at: context, withIntermediateDirectories: true)
            try Data(policy.base64EncodedString().utf8).write(to: context.appending(path: "security-policy-base64"))
        }

        func start(certificates: [String: Any], hasTable: Bool = false, _ extra: [String: String] = [:]) throws -> Broker {
            let arguments = try JSONSerialization.data(withJSONObject: ["certcache": certificates])
            let environment = [
                "SkrSideCarArgs": arguments.base64EncodedString(), "UVM_SECURITY_CONTEXT_DIR": context.path,
                "BROKER": Program.executable.path, "BROKER_SERVER_HTTP": "127.0.0.1:0", "BROKER_TLS_CA_FILE": azure.caFile,
                "BROKER_TLS_CONNECT_TO": "169.254.169.254:80:127.0.0.1:\(azure.metadataPort),::127.0.0.1:\(azure.tlsPort)",
            ].merging(extra) { $1 }
            return try Broker(
                [], environment: guest.environment(hasTable: hasTable, environment),
                executable: Program.packageRoot.appending(path: "samples/container/skr.sh"))
        }

        /// Runs one of the test containers' scripts beside the broker.
        func client(_ script: String, _ broker: Broker, _ environment: [String: String]) throws -> Program.Result {
            try Program.run(
                [], environment: environment.merging(["Port": "\(broker.port)"]) { $1 },
                executable: Program.packageRoot.appending(path: "samples/container/\(script)"))
        }
    }

    private static let thim = ["endpoint_type": "LocalTHIM", "endpoint": "169.254.169.254/metadata/THIM/amd/certification"]

    @Test(
        "the sidecar starts as the original does and releases a key, with endorsements from each source",
        arguments: ["security-context", "report", "thim", "azure-cache", "kds"]) func dropIn(source: String) throws
    {
        let group = try Group()
        defer { group.azure.stop() }
        if source == "security-context" {
            try Data((group.guest.thimDocument.base64EncodedString() + "\n").utf8).write(
                to: group.context.appending(path: "host-amd-cert-base64"))
        }
        let certificates: [String: Any] =
            switch source {
            case "azure-cache":
                [
                    "endpoint_type": "AzCache", "endpoint": "global.acccache.azure.net", "tee_type": "SevSnpVM",
                    "api_version": "api-version=2020-10-15-preview",
                ]
            case "kds": ["endpoint_type": "AMD", "endpoint": "kdsintf.amd.com/vcek", "tee_type": "v1/Milan"]
            default: Self.thim
            }
        let broker = try group.start(certificates: certificates, hasTable: source == "report")
        let key = SampleKeys.oct(32)
        try group.azure.importKey(
            "dropin", at: LocalAzure.managedHSM, key,
            policy: LocalAzure.policy([["claim": "x-ms-sevsnpvm-hostdata", "equals": Hex.encode(group.hostData)]]))
        let release = try broker.release("dropin", at: LocalAzure.managedHSM, ["maa_endpoint": LocalAzure.authority])
        #expect(release.status == 200, "\(release.answer) \(broker.program.output)")
        #expect(release.key?["k"] as? String == key["k"] as? String)
        let combined = try broker.post("/attest/combined", ["runtime_data": "AAAA"])
        #expect(combined.object["endorsed_tcb"] as? String == group.guest.chip.tcb.hex)
        #expect(try broker.get("/readyz").status == 200)

        // The original's test containers, unchanged.
        let raw = try group.client("attest_client.sh", broker, ["AttestClientRuntimeData": "e30="])
        #expect(raw.status == 0 && raw.text.contains("report"), "\(raw.errors)")
        let token = try group.client(
            "attest_client.sh", broker, ["AttestClientRuntimeData": "e30=", "AttestClientMAAEndpoint": LocalAzure.authority])
        #expect(token.status == 0 && token.text.contains("token"), "\(token.errors)")
        var skr = ["SkrClientMAAEndpoint": LocalAzure.authority, "SkrClientAKVEndpoint": LocalAzure.managedHSM, "SkrClientKID": "dropin"]
        let released = try group.client("skr_client.sh", broker, skr)
        #expect(released.status == 0 && released.text == "released dropin\n", "\(released.errors)")
        skr["SkrClientKID"] = "absent"
        #expect(try group.client("skr_client.sh", broker, skr).status == 1)
        skr["SkrClientKID"] = "a\"b"
        #expect(try group.client("skr_client.sh", broker, skr).status == 64)

        #expect(broker.program.stop() == 0, "the shell became the broker, so that the signal reached it")
        #expect(broker.program.output.contains("source=\(source)"), "\(broker.program.output)")
        let route = ["thim": "thim", "azure-cache": "certificate-cache", "kds": "kds"][source]
        if let route { #expect(group.azure.requests(route) >= 1) }
        let sleeping = try group.client("skr_client.sh", broker, skr.merging(["SkrClientKID": "dropin", "ClientAttempts": "1"]) { $1 })
        #expect(sleeping.status == 2, "nobody listens any more")
    }

    @Test("a source that answers 503 for ever costs a request its deadline and no more") func outage() throws {
        let group = try Group(["--fault", "kds=503", "--fault", "thim=503", "--fault", "certificate-cache=503"])
        defer { group.azure.stop() }
        let broker = try group.start(
            certificates: ["endpoint_type": "AMD", "endpoint": "kdsintf.amd.com/vcek", "tee_type": "v1/Milan"],
            ["BROKER_SERVER_REQUEST_TIMEOUT": "3s"])
        // curl would give up after a minute, without an answer.
        let answer = try broker.post("/attest/combined", ["runtime_data": "AAAA"])
        #expect(answer.object["code"] as? String == "upstreamUnavailable", "\(answer.object)")
        #expect("\(answer.object)".contains("503"), "\(answer.object)")
        #expect(group.azure.requests("kds") >= 1)
        // Everything that needs no endorsement is served meanwhile.
        #expect(try broker.post("/attest/raw", ["runtime_data": "AAAA"]).status == 200)
    }

    @Test("without any source the broker listens, says why it is not ready, and is ready when one is back") func recovery() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let guest = try EmulatedGuest(scratch)
        let thim = try DocumentServer(guest.thimDocument)
        let port = thim.port
        thim.stop()
        let broker = try Broker(
            ["serve"],
            environment: guest.environment(
                hasTable: false,
                [
                    "BROKER_SERVER_HTTP": "127.0.0.1:0", "BROKER_EVIDENCE_SNP_ENDORSEMENT_SOURCES": "thim",
                    "BROKER_EVIDENCE_SNP_THIM_ENDPOINT": "127.0.0.1:\(port)", "BROKER_SERVER_REQUEST_TIMEOUT": "1s",
                    "BROKER_IDENTITY_USE": "none", "no_proxy": "*",
                ]))
        #expect(try broker.get("/status").status == 200)
        let before = try broker.get("/readyz")
        #expect(before.status == 503 && "\(before.object)".contains("THIM"), "\(before.object)")
        let back = try DocumentServer(guest.thimDocument, port: port)
        defer { back.stop() }
        // A second may be too short for a busy machine; then the next look finds it.
        var after = try broker.get("/readyz")
        for _ in 0..<30 where after.status != 200 { after = try broker.get("/readyz") }
        #expect(after.status == 200, "\(after.object)")
    }

    @Test("a chain that does not belong to the report is not sent on") func foreignChain() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let guest = try EmulatedGuest(scratch)
        let stranger = try EmulatedGuest(try Scratch(), authority: EmulatedGuest.makeAuthority())
        defer { stranger.scratch.remove() }
        try scratch.write("table.bin", Data(EmulatedGuest.table(stranger.chip.chain)))
        let broker = try Broker(
            ["serve", "--set", "evidence.snp.endorsement-sources=report"],
            environment: guest.environment("sev-guest", faults: "", ["BROKER_SERVER_HTTP": "127.0.0.1:0"]))
        let combined = try broker.post("/attest/combined", ["runtime_data": "AAAA"])
        #expect(combined.status == 403 && combined.object["stage"] as? String == "endorsement", "\(combined)")
        #expect("\(combined.object)".contains("report-signature") || "\(combined.object)".contains("root"), "\(combined)")
        // The report alone needs no chain.
        #expect(try broker.post("/attest/raw", ["runtime_data": "AAAA"]).status == 200)
        #expect(try broker.get("/readyz").status == 503)
    }
}
