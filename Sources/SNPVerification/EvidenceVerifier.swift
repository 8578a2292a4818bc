package import OpenSSLCrypto
internal import SNPReport

/// Judges a SEV-SNP report and the certificates that came with it, without a network: form, signature, chain to a pinned root, and whether
/// report and leaf certificate speak of the same key, chip and TCB. Revocation lists are not consulted.
package struct EvidenceVerifier: Sendable {
    /// What the caller demands and allows.
    package struct Policy: Sendable {
        /// Accept a guest whose memory the host may read.
        package var allowDebug = false
        /// Accept a guest that a migration agent may move.
        package var allowMigration = false
        /// Accept a VCEK-signed report whose CHIP_ID is hidden. The certificate's chip is then not compared with anything.
        package var allowMaskedChipID = false
        /// 64 bytes; not checked when `nil`.
        package var expectedReportData: [UInt8]?
        /// 32 bytes; not checked when `nil`.
        package var expectedHostData: [UInt8]?
        /// 48 bytes; not checked when `nil`.
        package var expectedMeasurement: [UInt8]?
        /// 0...3; any of them when `nil`.
        package var expectedVMPL: UInt32?
        /// When the certificates must be valid, in seconds since 1970.
        package var time: Int64
        /// The roots in which a chain may end. A fixture's root is trusted only where a caller adds it.
        package var roots: [PinnedRoot] = AMDRoots.pins

        package init(time: Int64) { self.time = time }
    }

    /// More certificates than this are refused unread.
    package static let maximumCertificates = 1000
    /// At most this many different certificates that bear a leaf's, an intermediate's or a root's name: each costs signature checks.
    package static let maximumCandidates = 32

    private let signatures: VerifiedSignatures

    /// `signatures` is what the caller keeps from one verification to the next.
    package init(signatures: VerifiedSignatures = VerifiedSignatures()) { self.signatures = signatures }

    /// Runs every check that can run. `certificates` may be in any order, repeat themselves, and hold other chains or strangers.
    package func verify(report: [UInt8], certificates: [Certificate], policy: Policy) -> VerificationResult {
        var findings = Findings()
        var wellFormed: AttestationReport?
        // What can be read of the report, also where its form is refused: later checks then still say what else is wrong.
        var readable: AttestationReport?
        do throws(ReportError) {
            let (inspected, problems) = try AttestationReport.inspect(report)
            readable = inspected
            if problems.isEmpty { wellFormed = inspected }
            FormChecks.record(problems, of: inspected, in: &findings)
        } catch { FormChecks.record(error, in: &findings) }

        var path: EndorsementPath?
        if let bundle = CertificateBundle(certificates) {
            path = bundle.bestPath(for: readable, policy: policy, signatures)
            findings.pass(.certificateCount, "\(bundle.count) different certificates, \(bundle.strangers) of them of no use here")
        } else {
            findings.fail(
                .certificateCount,
                "more than \(Self.maximumCertificates) certificates, or more than \(Self.maximumCandidates) with the name of one place "
                    + "in the chain"
            )
        }

        var required = FormChecks.required
        if let path {
            ChainChecks.run(path, policy: policy, signatures, in: &findings)
        } else {
            findings.fail(.leafMissing, "no certificate is named SEV-VCEK or SEV-VLEK")
        }
        required.formUnion(ChainChecks.required)

        if let readable {
            SignatureChecks.run(readable, path: path, in: &findings)
            ContentChecks.run(readable, product: path?.product ?? readable.product, policy: policy, in: &findings)
            if let path { BindingChecks.run(readable, path: path, policy: policy, in: &findings) }
            required.formUnion(SignatureChecks.required)
            required.formUnion(ContentChecks.required(policy))
            required.formUnion(BindingChecks.required(readable, policy: policy))
        }
        return VerificationResult(
            isVerified: wellFormed != nil && findings.accept(required), checks: findings.checks, report: wellFormed,
            endorsement: path?.endorsement)
    }
}

/// Length, version, algorithm and reserved ranges, as `ReportInspection` found them.
enum FormChecks {
    static let required: Set<CheckCode> = [
        .reportLength, .reportVersion, .reportReserved, .policyReserved, .signatureAlgorithm, .signatureReserved,
    ]

    static func record(_ problems: [ReportError], of report: AttestationReport, in findings: inout Findings) {
        findings.pass(.reportLength, "\(AttestationReport.byteCount) bytes")
        for (check, code, detail) in [
            (ReportError.Check.version, CheckCode.reportVersion, "version \(report.version)"),
            (.signatureAlgorithm, .signatureAlgorithm, "ECDSA P-384 with SHA-384"),
            (.policyReserved, .policyReserved, "the guest policy's reserved bits are as they must be"),
            (.reserved, .reportReserved, "every reserved field is zero"),
            (.signatureReserved, .signatureReserved, "the signature field is zero outside r and s"),
        ] { findings.record(code, complaint: problems.first { $0.check == check }?.detail, otherwise: detail) }
    }

    /// Records what keeps a report from being read at all.
    static func record(_ error: ReportError, in findings: inout Findings) {
        findings.fail(CheckCode(rawValue: error.code) ?? .reportLength, error.detail)
    }
}
