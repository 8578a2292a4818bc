internal import BrokerCore
internal import Logging
internal import OpenSSLCrypto
internal import SNPReport
internal import Synchronization

/// Reports of this machine's firmware, each with the chain that verifies it.
final class SNPProvider: EvidenceProvider, ReadinessReporting, NoticeReporting {
    let provenance = Evidence.Provenance.hardware
    let device: SNPDevice
    let endorsements: EndorsementResolver
    let platform: PlatformContext
    private let logger: Logger
    /// Whether a report was endorsed since the start; readiness need not ask the firmware again and again.
    private let hasWorked = Mutex(false)

    init(device: SNPDevice, endorsements: EndorsementResolver, platform: PlatformContext, logger: Logger) {
        self.device = device
        self.endorsements = endorsements
        self.platform = platform
        self.logger = logger
    }

    func evidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence {
        let (collected, report) = try await collect(binding, in: context)
        let chain = try await endorsements.chain(for: report, table: collected.certificateTable, in: context)
        let platformEndorsements = try platform.endorsements(for: report, logger: logger)
        hasWorked.withLock { $0 = true }
        return Evidence(
            report: collected.report, endorsements: chain.map(\.der), endorsedTCB: report.reportedTCB.hex,
            platformEndorsements: platformEndorsements, platformStatements: platform.carriedStatements, provenance: provenance)
    }

    func notices() -> [String] { endorsements.notices() + platform.notices() }

    func rawEvidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence {
        let (collected, report) = try await collect(binding, in: context)
        return Evidence(report: collected.report, endorsements: [], endorsedTCB: report.reportedTCB.hex, provenance: provenance)
    }

    func obstacles(in context: RequestContext) async -> [String] {
        do {
            _ = try device.interface()
            guard !hasWorked.withLock({ $0 }) else { return [] }
            // Once, until it works: the first look finds the chain that the first request would wait for.
            _ = try await evidence(binding: ReportData(sha256Of: Array("readiness".utf8)), in: context)
            return []
        } catch { return [error.message] }
    }

    func collect(_ binding: ReportData, in context: RequestContext) async throws(BrokerError) -> (DeviceReport, AttestationReport) {
        let collected = try await device.report(binding.bytes, in: context)
        do {
            let report = try AttestationReport(collected.report)
            platform.tellOddities(report, logger)
            return (collected, report)
        } catch { throw BrokerError(.evidenceUnavailable, at: .evidence, "the firmware gave something that is no report: \(error)") }
    }
}
