internal import BrokerCore
internal import Logging
internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import Synchronization
internal import UVMEndorsements

/// What the platform says about the virtual machine around this container, read and verified once.
final class PlatformContext: Sendable {
    typealias Verifier = @Sendable (_ endorsement: [UInt8]) -> UVMVerificationResult

    let context: SecurityContext
    /// What was found of the utility VM's endorsement: it does not change, and no check but the measurement's needs a report.
    private let verdict: UVMVerificationResult?
    private let toldOddities = Mutex(false)

    convenience init(_ options: SNPSettings) throws(BrokerError) { self.init(try Self.read(options)) }

    init(_ context: SecurityContext, verifier: Verifier = { UVMEndorsementVerifier().verify($0) }) {
        self.context = context
        verdict = context.utilityVM.map(verifier)
    }

    static func read(_ options: SNPSettings) throws(BrokerError) -> SecurityContext {
        var places = SecurityContext.Places()
        places.directory = options.contextDirectory
        places.policy = options.securityPolicy
        places.hostCertificates = options.hostCertificates
        places.utilityVM = options.utilityVM
        do { return try SecurityContext.read(places) } catch {
            throw BrokerError(.misconfigured, at: .startup, "the security context cannot be used: \(error.description)")
        }
    }

    /// The utility VM's endorsement, after it was found to endorse this report's launch measurement. Without this check the verifier would
    /// answer with a token that lacks a claim, or with an error that names no cause.
    func endorsements(for report: AttestationReport) throws(BrokerError) -> [[UInt8]] {
        guard let endorsement = context.utilityVM, let verdict else { return [] }
        var checks = verdict.checks
        if let endorsed = verdict.endorsement?.launchMeasurement, endorsed != report.measurement {
            let detail = "the endorsed launch measurement \(Hex.encode(endorsed)) is not this machine's, \(Hex.encode(report.measurement))"
            checks.append(Check(UVMCheckCode.measurement.rawValue, false, detail))
        }
        guard verdict.isVerified, checks.failures.isEmpty else {
            throw BrokerError(
                .evidenceUnavailable, at: .endorsement,
                "the utility VM's endorsement in \(context.origin) does not hold: \(checks.complaint)")
        }
        return [endorsement]
    }

    /// Says once what is odd about the context.
    func tellOddities(_ report: AttestationReport, _ logger: Logger) {
        let isFirst = toldOddities.withLock { told in
            defer { told = true }
            return !told
        }
        guard isFirst else { return }
        for oddity in context.oddities(hostData: report.hostData) { logger.warning("\(oddity)") }
    }
}
