import Foundation
import Issuing
import OpenSSLCrypto
import SNPReport
import Testing

@testable import SNPFixture

/// A group whose host is updated while it runs, and whose broker is not.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: EmulatedGuest.isPossible, EmulatedGuest.condition))
struct SurvivalTests {
    private static let now = Int64(Date().timeIntervalSince1970)

    /// The endorsement of the template's measurement, by a publisher that the simulators trust and the broker does not know.
    private static func endorsement(_ fixture: URL) throws -> Data {
        let publisher = try FixtureDirectory(fixture.path).publisher(now: now)
        return Data(
            Base64.encode(try publisher.endorse(measurement: ReportBuilder().measurement, svn: 105, signingTime: now))
                .utf8
        )
    }

    @Test("releases go on over a raised TCB, a throttled service, a new signer of utility VMs and an unknown file, each with its line")
    func updates() throws {
        var made: EmulatedGuest?
        var endorsement = Data()
        let azure = try LocalAzure(["--verbose", "--fault", "kds=429"]) { scratch, fixture in
            made = try EmulatedGuest(scratch, fixtureDirectory: fixture.path)
            endorsement = try Self.endorsement(fixture)
            return []
        }
        defer { azure.stop() }
        let guest = try #require(made)
        let context = azure.scratch.directory.appending(path: "context")
        try FileManager.default.createDirectory(at: context, withIntermediateDirectories: true)
        try endorsement.write(to: context.appending(path: "reference-info-base64"))
        try Data("AAAA".utf8).write(to: context.appending(path: "attested-weather-base64"))
        try Data("AQID".utf8).write(to: context.appending(path: "tcb-reference-info-base64"))
        let broker = try azure.serve(
            [
                "evidence.snp.endorsement-sources=kds,report", "evidence.snp.security-context-directory=\(context.path)",
                "release-session.max-uses=0",
            ], environment: guest.environment())
        let key = SampleKeys.oct(32)
        try azure.importKey(
            "survivor", at: LocalAzure.managedHSM, key,
            policy: LocalAzure.policy([["claim": "x-ms-compliance-status", "equals": "azure-compliant-uvm"]]))
        func release() throws {
            let release = try broker.release("survivor", at: LocalAzure.managedHSM, ["maa_endpoint": LocalAzure.authority])
            #expect(release.status == 200, "\(release.answer) \(broker.program.output)")
            #expect(release.key?["k"] as? String == key["k"] as? String)
        }
        try release()

        // Firmware with another TCB: another key signs.
        let newer = TCBVersion(TCBComponents(bootloader: 5, tee: 0, snp: 27, microcode: 222), for: .milan)
        _ = try EmulatedGuest(guest.scratch, fixtureDirectory: azure.fixture.path, tcb: newer)
        for _ in 0..<3 { try release() }

        let combined = try broker.post("/attest/combined", ["runtime_data": "AAAA"])
        #expect(combined.object["endorsed_tcb"] as? String == newer.hex)
        let statements = combined.object["platform_statements"] as? [[String: Any]] ?? []
        #expect(statements.map { $0["name"] as? String } == ["tcb-reference-info"] && statements.first?["content"] as? String == "AQID")
        let status = try broker.get("/status")
        #expect("\(status.object["notices"] ?? "")".contains("is kept and serves until"), "\(status.object)")
        #expect(try broker.get("/readyz").status == 200)
        #expect(azure.requests("kds") == 1, "a throttled service is left alone")

        #expect(broker.program.stop() == 0)
        for line in [
            "endorsement source kds: asks for fewer requests", "the platform's TCB changed", "uvm-issuer",
            "passed on for the verifier to judge",
            "does not know: attested-weather-base64", "tcb-reference-info: 3 bytes", "source=report",
        ] { #expect(broker.program.output.contains(line), "\(line): \(broker.program.output)") }
    }

    @Test("an operator who requires the endorsement gets no evidence from a signer that is not named, and evidence from one that is")
    func required() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let guest = try EmulatedGuest(scratch)
        let publisher = try UVMFixture(notBefore: Self.now - 60, notAfter: Self.now + 86_400)
        let cose = try publisher.endorse(measurement: ReportBuilder().measurement, svn: 105, signingTime: Self.now)
        let settings = ["evidence.snp.uvm-check=require", "evidence.snp.reference-info=\(Base64.encode(cose))"]
        func combined(_ more: [String]) throws -> (status: Int, object: [String: Any]) {
            let options = (settings + more).flatMap { ["--set", $0] }
            let broker = try Broker(
                ["serve", "--set", "evidence.snp.endorsement-sources=report"] + options,
                environment: guest.environment("sev-guest", faults: "", ["BROKER_SERVER_HTTP": "127.0.0.1:0"]))
            return try broker.post("/attest/combined", ["runtime_data": "AAAA"])
        }
        let refused = try combined([])
        #expect(refused.status == 403 && "\(refused.object)".contains("uvm-issuer"), "\(refused.object)")
        let named = "evidence.snp.uvm-issuers=\(publisher.issuer) \(publisher.feed)"
        #expect(try combined([named]).object["uvm_endorsements"] as? String == Base64.encode(cose))
        #expect(try combined([named + " 106"]).status == 403)
        #expect(try combined([named, "evidence.snp.uvm-ekus=1.2.3"]).status == 403)
    }
}
