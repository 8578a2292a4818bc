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

    /// The utility VM's endorsement in one of its two forms, and what was found of it: it does not change, and no check but the
    /// measurement's needs a report. No verdict where nothing is checked.
    struct Endorsement: Sendable {
        let file: String
        let cose: [UInt8]
        let verdict: UVMVerificationResult?
    }

    let context: SecurityContext
    let check: UVMCheckChoice
    /// The JSON form first, which is the older one and what verifiers are known to take.
    let endorsements: [Endorsement]
    let statements: [ReferenceStatement]
    /// What was said already, so that it is said once.
    private let told = Mutex<Set<String>>([])
    /// What was passed on last although it does not hold.
    private let passedOn = Mutex<String?>(nil)

    convenience init(_ options: SNPSettings, time: Int64) throws(BrokerError) {
        self.init(try Self.read(options), trust: PlatformTrust(options, time: time))
    }

    init(_ context: SecurityContext, trust: PlatformTrust = PlatformTrust(), verifier given: Verifier? = nil) {
        self.context = context
        check = trust.check
        let verifier =
            given ?? { endorsement in
                var policy = UVMEndorsementVerifier.Policy()
                policy.trust = trust.utilityVM
                return UVMEndorsementVerifier().verify(endorsement, policy: policy)
            }
        endorsements = [
            ("reference-info", context.utilityVM), ("transparent-reference-info", context.transparentUtilityVM),
        ].compactMap { file, cose in
            cose.map { Endorsement(file: file, cose: $0, verdict: trust.check == .off ? nil : verifier($0)) }
        }
        statements = [
            ("tcb-reference-info", context.tcbReference, trust.tcbReference),
            ("platform-reference-info", context.platformReference, trust.platformReference),
        ].compactMap { name, content, trust in
            content.map { ReferenceStatement(name: name, content: $0, trust: trust) }
        }
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

    /// The utility VM's endorsement, the first one that was found to endorse this report's launch measurement. Without this check the
    /// verifier would answer with a token that lacks a claim, or with an error that names no cause.
    func endorsements(for report: AttestationReport, logger: Logger? = nil) throws(BrokerError) -> [[UInt8]] {
        guard let first = endorsements.first, check != .off else { return endorsements.first.map { [$0.cose] } ?? [] }
        var complaints: [String] = []
        for endorsement in endorsements {
            guard let complaint = Self.complaint(endorsement, report) else {
                for complaint in complaints { tell(complaint, .notice, logger) }
                tell("the utility VM's endorsement holds: \(Self.words(endorsement))", .info, logger)
                passedOn.withLock { $0 = nil }
                return [endorsement.cose]
            }
            let file = endorsement.file == first.file ? "" : ", \(endorsement.file),"
            complaints.append("the utility VM's endorsement in \(context.origin)\(file) does not hold: \(complaint)")
        }
        guard check == .warn else { throw BrokerError(.evidenceUnavailable, at: .endorsement, complaints.joined(separator: "; ")) }
        for complaint in complaints { tell("\(complaint); it is passed on for the verifier to judge", .warning, logger) }
        passedOn.withLock { $0 = complaints.first }
        return [first.cose]
    }

    /// What a verifier has to judge because the broker could not.
    func notices() -> [String] { passedOn.withLock { $0 }.map { ["\($0); it is passed on for the verifier to judge"] } ?? [] }

    /// What is passed on beside the report, as it came.
    var carriedStatements: [PlatformStatement] {
        let transparent = context.transparentUtilityVM.map { cose in
            let isVerified = endorsements.contains { $0.cose == cose && $0.verdict?.isVerified == true }
            return PlatformStatement(name: "transparent-reference-info", content: cose, isVerified: isVerified)
        }
        return (transparent.map { [$0] } ?? []) + statements.compactMap(\.carried)
    }

    /// Says once what is odd about the context.
    func tellOddities(_ report: AttestationReport, _ logger: Logger) {
        for oddity in context.oddities(hostData: report.hostData) { tell(oddity, .warning, logger) }
        for statement in statements {
            if case .rejected = statement.state { tell(statement.words, .warning, logger) } else { tell(statement.words, .info, logger) }
        }
    }

    /// What does not hold of the endorsement, `nil` where all of it does.
    static func complaint(_ endorsement: Endorsement, _ report: AttestationReport) -> String? {
        guard let verdict = endorsement.verdict else { return nil }
        var checks = verdict.checks
        if let endorsed = verdict.endorsement?.launchMeasurement, endorsed != report.measurement {
            let detail = "the endorsed launch measurement \(Hex.encode(endorsed)) is not this machine's, \(Hex.encode(report.measurement))"
            checks.append(Check(UVMCheckCode.measurement.rawValue, false, detail))
        }
        return verdict.isVerified && checks.failures.isEmpty ? nil : checks.complaint
    }

    /// Who signed what, so that a change of the signer shows.
    static func words(_ endorsement: Endorsement) -> String {
        guard let found = endorsement.verdict?.endorsement, let signer = found.certificates.first else { return endorsement.file }
        return "\(endorsement.file), \(found.issuer) for \(found.feed), SVN \(found.svn), signer's certificate "
            + "\(Hex.encode(signer.sha256).prefix(16))… until \(RFC3339.format(signer.notAfter))"
    }

    private func tell(_ words: String, _ level: Logger.Level, _ logger: Logger?) {
        guard let logger, told.withLock({ $0.count < 64 && $0.insert(words).inserted }) else { return }
        logger.log(level: level, "\(words)")
    }
}
