internal import BrokerCore
internal import HTTPTransport
internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import SNPVerification
internal import UVMEndorsements

/// Judges evidence with AMD's chain and the operator's rules.
struct LocalJudge: EvidenceJudge {
    let settings: LocalSettings
    let lists: RevocationLists
    private let host: HostServices
    private let signatures = VerifiedSignatures()

    init(_ settings: LocalSettings, _ host: HostServices) throws(BrokerError) {
        self.settings = settings
        self.host = host
        lists = RevocationLists(settings, host)
    }

    // MARK: It issues no tokens

    var defaultAuthority: Endpoint? { nil }

    func accepts(_ authority: Endpoint) -> Bool { false }

    func token(for evidence: Evidence, runtimeData: RuntimeData, from authority: Endpoint, in context: RequestContext)
        async throws(BrokerError) -> AttestationToken
    {
        throw BrokerError(
            .noProvider, at: .verify, "verifier 'local' issues no tokens; verifier.use needs one that does beside it, such as maa")
    }

    // MARK: Judgement

    func judgement(of evidence: Evidence, runtimeData: RuntimeData, in context: RequestContext) async throws(BrokerError) -> Judgement {
        var certificates: [Certificate] = []
        for der in evidence.endorsements {
            do { certificates.append(try Certificate(der: der)) } catch {
                throw BrokerError(.endorsementMismatch, at: .verify, "an endorsement is no certificate: \(error.reason)", cause: error)
            }
        }
        let policy = await policy(for: evidence, runtimeData, certificates, in: context)
        let result = EvidenceVerifier(signatures: signatures).verify(
            report: evidence.report, certificates: certificates, policy: policy)
        var (verdict, checks, notChecked) = (result.verdict, result.checks, result.notChecked)
        switch endorsement(of: evidence, result) {
        case .some(let found):
            checks += found.checks
            if !found.isHolding { verdict = .rejected }
        case nil: notChecked.append(Omission("uvm-endorsement", "who endorses the measurement"))
        }
        return Judgement(
            verdict: verdict, checks: checks, leftOut: result.leftOut, notChecked: notChecked,
            product: result.endorsement?.product.rawValue, nextSteps: Advice.steps(for: checks.failures))
    }

    private func policy(
        for evidence: Evidence, _ runtimeData: RuntimeData, _ certificates: [Certificate], in context: RequestContext
    ) async -> EvidenceVerifier.Policy {
        var policy = EvidenceVerifier.Policy(time: host.clock.now(), products: host.products)
        policy.roots += settings.roots
        policy.allowDebug = settings.allowsDebug
        policy.allowMigration = settings.allowsMigration
        policy.allowMaskedChipID = settings.allowsMaskedChipID
        policy.refusesProvisionalFirmware = settings.refusesProvisional
        policy.expectedReportData = runtimeData.reportData.bytes
        policy.expectedVMPL = settings.vmpl
        let report = try? AttestationReport(evidence.report)
        // One of several: the report's own where it is among them, otherwise the first, which then is the one that is missed.
        func wanted(_ list: [[UInt8]], _ own: [UInt8]?) -> [UInt8]? { list.first { $0 == own } ?? list.first }
        policy.expectedMeasurement = wanted(settings.measurements, report?.measurement)
        policy.expectedHostData = wanted(settings.hostData, report?.hostData)
        policy.expectedIDKeyDigest = settings.idKeyDigest
        policy.expectedAuthorKeyDigest = settings.authorKeyDigest
        policy.minimumTCB = settings.minimumTCB
        policy.floors = settings.floors
        policy.requiredMitigations = settings.mitigations
        policy.requiredPlatformBits = settings.platformBits
        policy.revocation = await lists.rule(for: certificates, in: context)
        return policy
    }

    /// What there is to say of the utility VM's endorsement; `nil` where nobody asks.
    private func endorsement(of evidence: Evidence, _ result: VerificationResult) -> (checks: [Check], isHolding: Bool)? {
        guard settings.endorsement != .off else { return nil }
        guard !evidence.platformEndorsements.isEmpty else {
            guard settings.endorsement == .require else { return nil }
            return ([Check(UVMCheckCode.cose.rawValue, false, "there is no endorsement of the utility VM")], false)
        }
        var policy = UVMEndorsementVerifier.Policy()
        policy.expectedMeasurement = result.report?.measurement ?? []
        policy.trust = settings.endorsers
        policy.trust.time = host.clock.now()
        let results = evidence.platformEndorsements.map { UVMEndorsementVerifier().verify($0, policy: policy) }
        // One that holds is enough: others may be for other readers.
        let best = results.first(where: \.isVerified) ?? results[0]
        return (best.checks, best.isVerified)
    }
}

/// What to do about what a judgement finds.
enum Advice {
    static func steps(for failures: [String]) -> [String] {
        var steps: [String] = []
        func add(_ codes: Set<String>, _ step: String) { if !codes.isDisjoint(with: failures) { steps.append(step) } }
        add(
            ["tcb-below-minimum", "platform-bits-missing", "mitigation-missing"],
            "the host's firmware or microcode is older than the operator accepts, so a hole that the named bulletin closes may be open "
                + "on it; "
                + "only who runs the host can update it, or move the group to another: verifier.local.floors and minimum-tcb say what is "
                + "wanted")
        add(
            ["floor-unknown"],
            "name a floor in verifier.local.floors that has a value for this processor, or add one to evidence.products-file")
        add(
            ["report-version", "product-unsupported"],
            "this broker does not know the report's version or the product's root: evidence.products-file can name what it lacks; until "
                + "then "
                + "verifier.require any lets the other verifier decide alone")
        add(["product-denied"], "evidence.products-file denies this product: run the group elsewhere")
        add(
            ["crl-missing", "crl-stale", "crl-malformed", "crl-foreign", "crl-future", "crl-no-next-update"],
            "AMD's revocation list cannot be used: let the broker reach verifier.local.kds-endpoint, or put a list into "
                + "verifier.local.crl-file")
        add(["certificate-revoked"], "AMD revoked the certificate between chip and root: fetch the chain anew, and ask who runs the host")
        add(["measurement-mismatch"], "another image was launched than verifier.local.measurements names")
        add(["host-data-mismatch"], "the group runs another security policy than verifier.local.host-data names")
        add(
            ["uvm-issuer", "uvm-feed", "uvm-svn"],
            "verifier.local.uvm-issuers and uvm-minimum-svn say whose utility VMs are trusted, and from which version on")
        add(["vmpl-mismatch"], "the report comes from another privilege level than verifier.local.vmpl")
        add(["debug-allowed"], "the host may read the guest's memory: start the group without debugging")
        return steps
    }
}
