internal import ArgumentParser
internal import BrokerCore
internal import InputReading
internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import SNPVerification
internal import StrictJSON
internal import UVMEndorsements

struct EvidenceVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Judge a report and its certificates.",
        discussion: """
            Exit status 0 when the evidence is verified, 1 when it is rejected, 2 when it cannot be judged (unsupported), 3 when it holds \
            but for what was left out (limited). Every check that can run does run; 'evidence checks' explains their codes. A guest that \
            may be debugged or migrated is rejected unless the option says otherwise.
            """
    ).examples(
        "evidence verify --report report.bin --certs certs.pem",
        "evidence verify --bundle bundle.json --floor AMD-SB-3019")

    @Option(
        help: ArgumentHelp(
            "The report: raw, hex or base64, the answer of /attest/raw or /attest/combined, or what the device gave.", valueName: "file"))
    var report: String?

    @Option(
        help: ArgumentHelp(
            "Certificates in PEM or DER, in any order; also the JSON of THIM and host-amd-cert-base64, a certificate table (auxblob), the "
                + "answer of /attest/combined, or a directory. May be repeated.", valueName: "file")) var certs: [String] = []

    @Option(
        help: ArgumentHelp(
            "A bundle of 'evidence get --bundle' instead of --report, --certs and all that goes with them; judged at its own time.",
            valueName: "file")) var bundle: String?

    @Option(
        help: ArgumentHelp(
            "Security policy whose SHA-256 the host data must be: base64, Rego, or the template or manifest that holds it.",
            valueName: "file")) var securityPolicy: String?

    @Option(
        help: ArgumentHelp("What the security policy is, instead of recognising it: \(SecurityPolicyFile.forms).", valueName: "form"),
        transform: SecurityPolicyFile.form) var securityPolicyForm: SecurityPolicyForm?

    @Option(help: ArgumentHelp("What the report data must be: up to 64 bytes, zeros follow.", valueName: "hex")) var reportData: String?

    @Option(help: ArgumentHelp("Runtime data whose SHA-256, followed by zeros, the report data must be.", valueName: "file"))
    var runtimeData: String?

    @Option(help: ArgumentHelp("What the host data must be: 32 bytes.", valueName: "hex")) var hostData: String?

    @Option(help: ArgumentHelp("What the launch measurement must be: 48 bytes.", valueName: "hex")) var measurement: String?

    @Option(help: ArgumentHelp("At which VMPL the report must have been made, 0 to 3.", valueName: "number")) var vmpl: UInt32?

    @Option(help: ArgumentHelp("When to judge certificates (default: now), for example 2026-11-23T20:00:00Z.", valueName: "time")) var at:
        String?

    @Option(help: ArgumentHelp("A root certificate to trust beside AMD's, for fixture evidence. May be repeated.", valueName: "file"))
    var root: [String] = []

    @Option(
        help: ArgumentHelp(
            "Endorsement of the utility VM (COSE_Sign1, raw or base64, or the answer of /attest/combined): Microsoft's, and for this "
                + "report's measurement.", valueName: "file")
    ) var uvm: String?

    @OptionGroup var statements: StatementOptions

    @Flag(help: "Accept a guest whose memory the host may read.") var allowDebug = false
    @Flag(help: "Accept a guest that a migration agent may move.") var allowMigration = false
    @Flag(help: "Accept a report that hides its chip id.") var allowMaskedChipId = false
    @OptionGroup(title: "What the evidence must show") var judgement: JudgementOptions
    #if PolicyTools
        @Option(help: ArgumentHelp("Write a self-contained page; - for standard output.", valueName: "file")) var html: String?
    #endif
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        if bundle != nil {
            guard report == nil, certs.isEmpty, uvm == nil, reportData == nil, runtimeData == nil, securityPolicy == nil else {
                throw ValidationError("--bundle has report, certificates, endorsement, security policy and runtime data itself")
            }
            return
        }
        if report == nil { throw ValidationError("--report is needed, or --bundle") }
        if certs.isEmpty { throw ValidationError("--certs is needed: the VCEK or VLEK, its ASK or ASVK, and the ARK") }
        if reportData != nil, runtimeData != nil { throw ValidationError("--report-data and --runtime-data exclude each other") }
        if uvm == nil, !statements.receipts.isEmpty { throw ValidationError("--receipts goes with the --uvm whose receipts it judges") }
        if securityPolicy != nil, hostData != nil { throw ValidationError("--security-policy and --host-data exclude each other") }
    }

    func run() throws {
        let products = try judgement.table()
        let judged = try bundle.map(JudgedBundle.init)
        var policy = try judgement.policy(time: try time() ?? judged?.time() ?? SystemClock().now(), products)
        policy.allowDebug = allowDebug
        policy.allowMigration = allowMigration
        policy.allowMaskedChipID = allowMaskedChipId
        policy.expectedVMPL = vmpl
        policy.expectedMeasurement = try measurement.map { try HexText.bytes($0, of: "--measurement", count: 48...48) }
        for path in root { policy.roots += try EvidenceFiles.roots(path, products) }
        policy.expectedHostData = try expectedHostData()
        if let judged { return try tell(try verdict(on: judged, policy)) }
        policy.expectedReportData = try expectedReportData()
        let reportBytes = try EvidenceFiles.report(report ?? "")
        let certificates = try EvidenceFiles.certificates(certs)
        let result = EvidenceVerifier().verify(report: reportBytes, certificates: certificates.certificates, policy: policy)
        let statements = try statements.outcome(at: policy.time)
        try tell(
            EvidenceVerdict(
                result: result, platform: try platformResult(result, statements.policy), statements: statements,
                unreadable: certificates.unreadable))
    }

    /// The verdict on what a bundle holds; what was given besides has to hold as well.
    private func verdict(on judged: JudgedBundle, _ policy: EvidenceVerifier.Policy) throws -> EvidenceVerdict {
        var policy = policy
        let statements = try statements.outcome(at: policy.time)
        let bundle = judged.bundle
        policy.expectedReportData = ReportData(sha256Of: bundle.runtimeData).bytes
        var checks = judged.checks
        if let securityPolicy = bundle.securityPolicy {
            let digest = DigestAlgorithm.sha256.digest(securityPolicy)
            // Two expectations are both made.
            if let wanted = policy.expectedHostData, wanted != digest {
                checks.append(Check(BundleCode.digest.rawValue, false, "the security policy is not that of --host-data"))
            }
            policy.expectedHostData = digest
        }
        policy.revocation.sources += bundle.revocationLists.map { RevocationRule.Source(name: "the bundle's list", der: $0) }
        if policy.revocation.mode == .off, judgement.crlCheck == nil, !bundle.revocationLists.isEmpty { policy.revocation.mode = .required }
        var unreadable: [String] = []
        let certificates = bundle.certificates.compactMap { der -> Certificate? in
            do throws(CryptoError) { return try Certificate(der: der) } catch {
                unreadable.append("the bundle: \(error.reason)")
                return nil
            }
        }
        let result = EvidenceVerifier().verify(report: bundle.report, certificates: certificates, policy: policy)
        var platform: UVMVerificationResult?
        if let endorsement = bundle.platformEndorsements.first {
            var rules = statements.policy
            rules.expectedMeasurement = result.report?.measurement ?? []
            platform = UVMEndorsementVerifier().verify(endorsement, policy: rules)
        }
        return EvidenceVerdict(
            result: result, platform: platform, statements: statements, unreadable: unreadable, also: checks,
            notChecked: judged.notChecked)
    }

    private func tell(_ verdict: EvidenceVerdict) throws {
        #if PolicyTools
            if let html {
                if html == "-" { Console.writeBytes(verdict.page()) } else { try OutputFile.write(verdict.page(), to: html) }
                if html == "-" { return try Console.end(verdict.failure) }
            }
        #endif
        if json { Console.json(verdict.json, failure: verdict.failure) } else { verdict.print(Style(isOn: Console.hasColour)) }
        try Console.end(verdict.failure)
    }

    /// The verdict on the utility VM's endorsement. A report whose form is refused has no measurement to compare with.
    private func platformResult(_ result: VerificationResult, _ given: UVMEndorsementVerifier.Policy) throws -> UVMVerificationResult? {
        guard let uvm else { return nil }
        var policy = given
        policy.expectedMeasurement = result.report?.measurement ?? []
        return UVMEndorsementVerifier().verify(try InputFile.readOne(uvm, as: EndorsementInput.kind, limit: 1 << 20), policy: policy)
    }

    private func time() throws -> Int64? {
        guard let at else { return nil }
        guard let time = RFC3339.parse(at) else { throw CommandFailure(.usage, "--at wants an RFC 3339 time such as 2026-11-23T20:00:00Z") }
        return time
    }

    private func expectedReportData() throws -> [UInt8]? {
        if let runtimeData { return ReportData(sha256Of: try InputFile.bytes(runtimeData)).bytes }
        guard let reportData else { return nil }
        let bytes = try HexText.bytes(reportData, of: "--report-data", count: 1...64)
        return bytes + [UInt8](repeating: 0, count: 64 - bytes.count)
    }

    private func expectedHostData() throws -> [UInt8]? {
        if let securityPolicy {
            return DigestAlgorithm.sha256.digest(try SecurityPolicyFile.readOne(securityPolicy, as: securityPolicyForm))
        }
        return try hostData.map { try HexText.bytes($0, of: "--host-data", count: 32...32) }
    }
}
