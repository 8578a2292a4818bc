internal import BrokerCore
internal import Logging
internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import SNPVerification

/// Plays back one recorded report, for the one binding that it was made for.
struct RecordedEvidence: EvidenceProvider, ReadinessReporting {
    let provenance = Evidence.Provenance.fixture
    private let evidence: Evidence
    private let reportData: [UInt8]

    init(_ recording: FixtureSettings.Recording, platformEndorsements: [[UInt8]], path: String, host: HostServices) throws(BrokerError) {
        func complaint(_ key: SettingKey<String>, _ text: String) -> BrokerError {
            BrokerError(.misconfigured, at: .startup, "\(path).\(key.name): \(text)")
        }
        let report: AttestationReport
        do {
            let bytes = try Self.reportBytes(BoundedFile.read(recording.reportFile, limit: 64 * 1024))
            report = try AttestationReport(bytes)
        } catch let error as ReportError {
            throw complaint(FixtureSettings.keys.reportFile, "\(recording.reportFile): \(error.detail) (\(error.code))")
        } catch { throw complaint(FixtureSettings.keys.reportFile, "\(error)") }
        let certificates: [Certificate]
        do {
            certificates = try Certificate.parse(pemOrDER: BoundedFile.read(recording.certificatesFile, limit: 1 << 20), maximumCount: 100)
        } catch { throw complaint(FixtureSettings.keys.certificatesFile, "\(error)") }
        guard !certificates.isEmpty else {
            throw complaint(FixtureSettings.keys.certificatesFile, "\(recording.certificatesFile): holds no certificate")
        }

        // Finds the report's own chain in the file and puts it in order; whether it verifies is the verifier's business.
        let result = EvidenceVerifier().verify(
            report: report.bytes, certificates: certificates, policy: .init(time: host.clock.now(), products: host.products))
        if !result.isAcceptable {
            host.logger.warning(
                "the recorded report does not verify today", metadata: ["checks": "\(result.failures.joined(separator: ","))"])
        }
        evidence = Evidence(
            report: report.bytes, endorsements: result.endorsement?.chain ?? certificates.map(\.der), endorsedTCB: report.reportedTCB.hex,
            platformEndorsements: platformEndorsements, provenance: .fixture)
        reportData = report.reportData
    }

    func evidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence {
        guard binding.bytes == reportData else {
            throw BrokerError(
                .evidenceUnavailable, at: .evidence,
                "the recorded report commits to other report data; it can be played back only for the data that it was made for. "
                    + "Unset report-file to have reports made for any data.")
        }
        return evidence
    }

    func obstacles(in context: RequestContext) async -> [String] { [] }

    /// The report of a file that holds it raw, as hex or as base64.
    private static func reportBytes(_ content: [UInt8]) -> [UInt8] {
        if content.count == AttestationReport.byteCount { return content }
        let text = content.trimmed(.whiteSpace)
        guard text.allSatisfy({ $0 < 0x80 }) else { return content }
        if let decoded = Hex.decode(String(decoding: text, as: UTF8.self)) { return decoded }
        return PlainOrBase64.decode(content)
    }
}
