import Issuing
import BrokerCore
import BrokerTestKit
import HTTPTransport
import EvidenceSamples
@testable import SNPEvidence
import SNPReport
import OpenSSLCrypto
import Synchronization
import Testing
@testable import UVMEndorsements

/// Real endorsements of utility VMs beside the real reports that they endorse.
@Suite("What the platform says, before the verifier hears it", .enabled(if: EvidenceSample.isAvailable, "../shared/evidence is not there"))
struct PlatformContextTests {
    private static let samples = EvidenceSample.holding("reference-info.cose").filter { $0.file("report.bin") != nil }

    private func endorsements(_ cose: [UInt8]?, _ report: [UInt8]) throws(BrokerError) -> [[UInt8]] {
        let decoded: AttestationReport
        do { decoded = try AttestationReport(report) } catch {
            throw BrokerError(.internal, at: .startup, "the sample is no report: \(error)")
        }
        return try PlatformContext(SecurityContext(utilityVM: cose, origin: "the sample")).endorsements(for: decoded)
    }

    @Test("an endorsement of this very machine is passed on", arguments: samples) func belongs(sample: EvidenceSample) throws {
        let cose = try #require(sample.file("reference-info.cose"))
        #expect(try endorsements(cose, sample.report) == [cose])
        #expect(try endorsements(nil, sample.report).isEmpty)
    }

    @Test("one of another machine, or one that was changed, is not, and the reason has a name", arguments: samples) func foreign(
        sample: EvidenceSample
    ) throws {
        let cose = try #require(sample.file("reference-info.cose"))
        var launch = sample.report
        launch[0x90] ^= 1
        var signature = cose
        signature[signature.count - 1] ^= 1
        for (endorsement, report, code) in [
            (cose, launch, "measurement"), (signature, sample.report, "signature"), ([0xD2], sample.report, ""),
        ] {
            do throws(BrokerError) {
                _ = try endorsements(endorsement, report)
                Issue.record("passed on: \(code)")
            } catch {
                #expect(error.code == .evidenceUnavailable && error.stage == .endorsement)
                #expect(error.message.contains("does not hold") && error.message.contains(code), "\(error.message)")
            }
        }
    }

    @Test("there are samples to look at") func present() { #expect(!Self.samples.isEmpty) }
}

@Suite("How often the platform's words are verified") struct PlatformVerdictTests {
    @Test("once for a content however many requests come, and anew for another") func once() throws {
        let report = try AttestationReport(ReportBuilder().unsignedBytes())
        let verified = Mutex<[[UInt8]]>([])
        for content: [UInt8] in [[0xD2], [0xD2, 0x84]] {
            let platform = PlatformContext(
                SecurityContext(utilityVM: content, origin: "a test"),
                verifier: { endorsement in
                    verified.withLock { $0.append(endorsement) }
                    return UVMEndorsementVerifier().verify(endorsement)
                })
            for _ in 0..<3 { #expect(throws: BrokerError.self) { try platform.endorsements(for: report) } }
        }
        #expect(verified.withLock { $0 } == [[0xD2], [0xD2, 0x84]])
    }
}

@Suite("What an operator decides about the platform's words") struct PlatformTrustTests {
    private let publisher: UVMFixture
    private let report: AttestationReport
    private let log = RecordedLog()
    private let now: Int64 = 1_767_225_600

    init() throws {
        publisher = try UVMFixture(notBefore: now - 86_400, notAfter: now + 86_400)
        var builder = ReportBuilder()
        builder.measurement = [UInt8](1...48)
        report = try AttestationReport(builder.unsignedBytes())
    }

    private func endorse(_ measurement: [UInt8] = [UInt8](1...48), _ form: UVMEndorsement.Form = .json) throws -> [UInt8] {
        try publisher.endorse(measurement: measurement, svn: 104, signingTime: now, form: form)
    }

    private func platform(_ context: SecurityContext, _ check: UVMCheckChoice, trusted: Bool = false) -> PlatformContext {
        var trust = PlatformTrust()
        trust.check = check
        trust.utilityVM.time = now
        if trusted { trust.utilityVM.issuers = [publisher.trustedIssuer] }
        return PlatformContext(context, trust: trust)
    }

    @Test("a signer that is not known: no evidence, passed on with a line, or passed on unread") func unknownSigner() throws {
        let cose = try endorse()
        let context = SecurityContext(utilityVM: cose, origin: "the test")
        #expect(throws: BrokerError.self) { try platform(context, .require).endorsements(for: report, logger: log.logger()) }
        #expect(log.lines == [])
        let warning = platform(context, .warn)
        for _ in 0..<3 { #expect(try warning.endorsements(for: report, logger: log.logger()) == [cose]) }
        #expect(log.lines.count == 1 && log.lines[0].contains("uvm-issuer"), "\(log.lines)")
        #expect(warning.notices().count == 1)
        #expect(log.lines[0].hasPrefix("warning the utility VM's endorsement in the test does not hold"), "\(log.lines)")
        #expect(try platform(SecurityContext(utilityVM: [1]), .off).endorsements(for: report, logger: log.logger()) == [[1]])
        #expect(log.lines.count == 1)
    }

    @Test("once the operator names it, it holds, and the log says who signed") func namedSigner() throws {
        let context = SecurityContext(utilityVM: try endorse(), origin: "the test")
        #expect(try platform(context, .require, trusted: true).endorsements(for: report, logger: log.logger()).count == 1)
        #expect(log.lines.count == 1 && log.lines[0].contains("SVN 104"), "\(log.lines)")
    }

    @Test("of the two forms the one that holds is passed on") func forms() throws {
        let (old, new) = (try endorse([UInt8](repeating: 9, count: 48)), try endorse([UInt8](1...48), .hashEnvelope))
        for check in [UVMCheckChoice.require, .warn] {
            let both = platform(SecurityContext(utilityVM: old, transparentUtilityVM: new), check, trusted: true)
            #expect(try both.endorsements(for: report, logger: log.logger()) == [new])
            let alone = platform(SecurityContext(transparentUtilityVM: new), check, trusted: true)
            #expect(try alone.endorsements(for: report) == [new])
            #expect(alone.carriedStatements == [PlatformStatement(name: "transparent-reference-info", content: new, isVerified: true)])
        }
        #expect(log.lines.contains { $0.hasPrefix("notice") && $0.contains("uvm-measurement") })
    }

    @Test("reference information is opaque until an issuer is named, and is dropped where somebody else signed") func references() throws {
        let header: [(CBORValue, CBORValue)] = [
            (1, CBORValue(COSEAlgorithm.es384.rawValue)), (3, "application/vnd.example"),
            (33, .array(publisher.certificates.map { .bytes($0.der) })), ("iss", .text(publisher.issuer)), ("feed", "tcb"),
        ]
        let statement = try publisher.sign(header, payload: [0xFF, 0x00])
        var trust = PlatformTrust()
        var context = SecurityContext(tcbReference: statement, platformReference: [1, 2, 3])
        #expect(PlatformContext(context, trust: trust).carriedStatements.map(\.isVerified) == [false, false])
        trust.tcbReference = StatementTrust(issuers: [TrustedIssuer(issuer: publisher.issuer, feed: "tcb")], time: now)
        trust.platformReference = trust.tcbReference
        let platform = PlatformContext(context, trust: trust)
        #expect(platform.carriedStatements == [PlatformStatement(name: "tcb-reference-info", content: statement, isVerified: true)])
        platform.tellOddities(report, log.logger())
        #expect(log.lines.contains { $0.hasPrefix("info tcb-reference-info") && $0.contains("application/vnd.example") }, "\(log.lines)")
        #expect(log.lines.contains { $0.hasPrefix("warning platform-reference-info") && $0.contains("not carried") }, "\(log.lines)")
        context.tcbReference = try publisher.sign(header.map { $0.0 == "feed" ? ($0.0, "other") : $0 }, payload: [])
        #expect(PlatformContext(context, trust: trust).carriedStatements == [])
    }

    @Test(
        "settings that name nobody are refused",
        arguments: [
            ("uvm-issuers", "did:x509:0:sha256:abc feed"), ("uvm-issuers", TrustedIssuer.confidentialACI.issuer),
            ("uvm-issuers", "\(TrustedIssuer.confidentialACI.issuer) feed -1"),
            ("uvm-issuers", String(TrustedIssuer.confidentialACI.issuer.dropLast()) + "1 ContainerPlat-AMD-UVM"),
            ("tcb-reference-issuers", "nobody"), ("uvm-ekus", TrustedIssuer.everySigner), ("uvm-ekus", "codeSigning"),
        ]) func refused(_ setting: (name: String, value: String))
    {
        let host = HostServices.forTest(transport: ScriptedTransport(script: []))
        #expect(throws: BrokerError.self) { try snpEvidence.makeForTest([setting.name: .list([setting.value])], host: host) }
    }

    @Test("today's issuers are the default, and a lowest SVN is the lowest for all") func defaults() throws {
        let settings = try SNPSettings(Settings(path: "evidence.snp", values: ["uvm-minimum-svn": .integer(104)]))
        let trust = PlatformTrust(settings, time: now)
        #expect(trust.check == .warn)
        #expect(trust.utilityVM.issuers.map(\.issuer) == TrustedIssuer.microsoft.map(\.issuer))
        #expect(trust.utilityVM.issuers.map(\.minimumSVN) == [104, 104])
    }
}
