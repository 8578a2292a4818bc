import BrokerCore
import BrokerTestKit
import EvidenceSamples
import FixtureEvidence
import OpenSSLCrypto
import SNPReport
import Testing

@Suite("Recorded evidence", .enabled(if: EvidenceSample.isAvailable, "../shared/evidence is not there")) struct RecordedEvidenceTests {
    private func provider(report: String, certificates: String, host: HostServices? = nil) throws(BrokerError) -> any EvidenceProvider {
        try fixtureEvidence.makeForTest(
            ["report-file": .string(report), "certificates-file": .string(certificates)],
            host: host ?? .forTest(transport: ScriptedTransport(script: [])))
    }

    @Test func isPlayedBackForItsOwnDataOnly() async throws {
        let sample = try #require(EvidenceSample(named: "azure-aci-scitt-20260302"))
        let provider = try provider(
            report: #require(sample.path("report.bin")), certificates: #require(sample.path("snp-endorsements.pem")))
        #expect(provider.provenance == .fixture)
        let report = try AttestationReport(sample.report)
        let own = try #require(ReportData(exactly: report.reportData))
        let evidence = try await provider.evidence(binding: own, in: .forTest())
        #expect(evidence.report == sample.report && evidence.provenance == .fixture)
        #expect(evidence.endorsedTCB == "541700000000000a")
        let names = try evidence.endorsements.map { try Certificate(der: $0).subjectCommonName }
        #expect(names == ["SEV-VCEK", "SEV-Genoa", "ARK-Genoa"])
        await #expect { _ = try await provider.evidence(binding: ReportData(sha256Of: []), in: .forTest()) } throws: {
            ($0 as? BrokerError)?.code == .evidenceUnavailable
        }
    }

    @Test func mayBeHexOrBase64WithTheCertificatesInAnyOrder() async throws {
        let sample = try #require(EvidenceSample(named: "aws-milan-v3-vlek-trustee"))
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let certificates = try directory.write("chain.pem", Array(sample.chainPEM.reversed().joined()))
        let own = try #require(ReportData(exactly: AttestationReport(sample.report).reportData))
        for text in [Hex.encode(sample.report) + "\n", Base64.encode(sample.report) + "\r\n"] {
            let report = try directory.write("report", Array(text.utf8))
            let log = RecordedLog()
            let host = HostServices.forTest(transport: ScriptedTransport(script: []), log: log)
            let evidence = try await provider(report: report, certificates: certificates, host: host).evidence(binding: own, in: .forTest())
            #expect(evidence.report == sample.report)
            #expect(try Certificate(der: evidence.endorsements[0]).subjectCommonName == "SEV-VLEK")
            #expect(log.lines.contains { $0.contains("certificate-expired") }, "the VLEK is past its year")
        }
    }

    @Test func filesThatAreNothingAreRefused() throws {
        let sample = try #require(EvidenceSample(named: "aws-milan-v3-vlek-trustee"))
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let good = try (#require(sample.path("report.bin")), #require(sample.path("vlek.pem")))
        for content in [[], Array("<html>oops</html>".utf8), [UInt8](repeating: 0, count: 1184), Array(sample.report.dropLast())] {
            let file = try directory.write("bad", content)
            for (report, certificates) in [(file, good.1), (good.0, file)] {
                let error = #expect(throws: BrokerError.self) { _ = try provider(report: report, certificates: certificates) }
                #expect(error?.code == .misconfigured)
            }
        }
    }
}
