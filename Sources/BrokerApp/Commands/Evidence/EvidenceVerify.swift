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
            Exit status 0 when the evidence is verified, 1 when it is rejected. Every check that can run does run; 'evidence checks' \
            explains \
            their codes. A guest that may be debugged or migrated is rejected unless the option says otherwise.
            """
    ).examples("evidence verify --report report.bin --certs certs.pem")

    @Option(
        help: ArgumentHelp(
            "The report: raw, hex or base64, the answer of /attest/raw or /attest/combined, or what the device gave.", valueName: "file"))
    var report: String

    @Option(
        help: ArgumentHelp(
            "Certificates in PEM or DER, in any order; also the JSON of THIM and host-amd-cert-base64, a certificate table (auxblob), the "
                + "answer of /attest/combined, or a directory. May be repeated.", valueName: "file")) var certs: [String]

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
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        if certs.isEmpty { throw ValidationError("--certs is needed: the VCEK or VLEK, its ASK or ASVK, and the ARK") }
        if reportData != nil, runtimeData != nil { throw ValidationError("--report-data and --runtime-data exclude each other") }
        if uvm == nil, !statements.receipts.isEmpty { throw ValidationError("--receipts goes with the --uvm whose receipts it judges") }
        if securityPolicy != nil, hostData != nil { throw ValidationError("--security-policy and --host-data exclude each other") }
    }

    func run() throws {
        var policy = EvidenceVerifier.Policy(time: try time())
        policy.allowDebug = allowDebug
        policy.allowMigration = allowMigration
        policy.allowMaskedChipID = allowMaskedChipId
        policy.expectedVMPL = vmpl
        policy.expectedReportData = try expectedReportData()
        policy.expectedHostData = try expectedHostData()
        policy.expectedMeasurement = try measurement.map { try Self.bytes($0, of: "--measurement", count: 48...48) }
        for path in root { policy.roots += try EvidenceFiles.roots(path) }
        let reportBytes = try EvidenceFiles.report(report)
        let certificates = try EvidenceFiles.certificates(certs)
        let result = EvidenceVerifier().verify(report: reportBytes, certificates: certificates.certificates, policy: policy)
        let statements = try statements.outcome(at: policy.time)
        let verdict = EvidenceVerdict(
            result: result, platform: try platformResult(result, statements.policy), statements: statements,
            unreadable: certificates.unreadable)
        let failed = verdict.checks.failures.joined(separator: ", ")
        let failure = verdict.isVerified ? nil : CommandFailure(.refused, "the evidence is rejected: \(failed)")
        if json { Console.json(verdict.json, failure: failure) } else { verdict.print(Style(isOn: Console.hasColour)) }
        try Console.end(failure)
    }

    /// The verdict on the utility VM's endorsement. A report whose form is refused has no measurement to compare with.
    private func platformResult(_ result: VerificationResult, _ given: UVMEndorsementVerifier.Policy) throws -> UVMVerificationResult? {
        guard let uvm else { return nil }
        var policy = given
        policy.expectedMeasurement = result.report?.measurement ?? []
        return UVMEndorsementVerifier().verify(try InputFile.readOne(uvm, as: EndorsementInput.kind, limit: 1 << 20), policy: policy)
    }

    private func time() throws -> Int64 {
        guard let at else { return SystemClock().now() }
        guard let time = RFC3339.parse(at) else { throw CommandFailure(.usage, "--at wants an RFC 3339 time such as 2026-11-23T20:00:00Z") }
        return time
    }

    private func expectedReportData() throws -> [UInt8]? {
        if let runtimeData { return ReportData(sha256Of: try InputFile.bytes(runtimeData)).bytes }
        guard let reportData else { return nil }
        let bytes = try Self.bytes(reportData, of: "--report-data", count: 1...64)
        return bytes + [UInt8](repeating: 0, count: 64 - bytes.count)
    }

    private func expectedHostData() throws -> [UInt8]? {
        if let securityPolicy {
            return DigestAlgorithm.sha256.digest(try SecurityPolicyFile.readOne(securityPolicy, as: securityPolicyForm))
        }
        return try hostData.map { try Self.bytes($0, of: "--host-data", count: 32...32) }
    }

    private static func bytes(_ text: String, of option: String, count: ClosedRange<Int>) throws -> [UInt8] {
        guard let bytes = HexText.decode(text), count.contains(bytes.count) else {
            let size = count.lowerBound == count.upperBound ? "\(count.upperBound)" : "\(count.lowerBound) to \(count.upperBound)"
            throw CommandFailure(.usage, "\(option) wants \(size) bytes in hex, two digits each")
        }
        return bytes
    }
}
