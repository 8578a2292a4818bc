internal import BrokerCore
internal import Logging
internal import PlainText
internal import SNPReport
internal import Synchronization
internal import UVMEndorsements

/// What the platform says about the virtual machine around this container, read once.
final class PlatformContext: Sendable {
    let context: SecurityContext
    private let toldOddities = Mutex(false)

    init(_ options: SNPSettings) throws(BrokerError) {
        var places = SecurityContext.Places()
        places.directory = options.contextDirectory
        places.policy = options.securityPolicy
        places.hostCertificates = options.hostCertificates
        places.utilityVM = options.utilityVM
        do { context = try SecurityContext.read(places) } catch {
            throw BrokerError(.misconfigured, at: .startup, "the security context cannot be used: \(error.description)")
        }
    }

    init(_ context: SecurityContext) { self.context = context }

    /// The utility VM's endorsement, after it was found to endorse this report's launch measurement. Without this check the verifier would
    /// answer with a token that lacks a claim, or with an error that names no cause.
    func endorsements(for report: AttestationReport) throws(BrokerError) -> [[UInt8]] {
        guard let endorsement = context.utilityVM else { return [] }
        var policy = UVMEndorsementVerifier.Policy()
        policy.expectedMeasurement = report.measurement
        let result = UVMEndorsementVerifier().verify(endorsement, policy: policy)
        guard result.isVerified else {
            throw BrokerError(
                .evidenceUnavailable, at: .endorsement,
                "the utility VM's endorsement in \(context.origin) does not hold: \(result.checks.complaint)")
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
