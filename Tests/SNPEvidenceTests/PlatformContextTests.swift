import Issuing
import BrokerCore
import BrokerTestKit
import EvidenceSamples
@testable import SNPEvidence
import SNPReport
import Synchronization
import Testing
import UVMEndorsements

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
            let platform = PlatformContext(SecurityContext(utilityVM: content, origin: "a test")) { endorsement in
                verified.withLock { $0.append(endorsement) }
                return UVMEndorsementVerifier().verify(endorsement)
            }
            for _ in 0..<3 { #expect(throws: BrokerError.self) { try platform.endorsements(for: report) } }
        }
        #expect(verified.withLock { $0 } == [[0xD2], [0xD2, 0x84]])
    }
}
