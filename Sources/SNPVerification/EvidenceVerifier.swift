package import OpenSSLCrypto
internal import SNPReport

/// Judges a SEV-SNP report and the certificates that came with it, without a network: form, signature, chain to a pinned root, and whether
/// report and leaf certificate speak of the same key, chip and TCB; and, where the policy asks, revocation list and minimum TCBs.
package struct EvidenceVerifier: Sendable {
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
        // What can be read of the report, also where its form is refused: later checks then still say what else is wrong.
        let inspection = Result { () throws(ReportError) in try AttestationReport.inspect(report) }
        let readable = try? inspection.get().report
        let bundle = CertificateBundle(certificates, policy.products)
        let path = bundle?.bestPath(for: readable, policy: policy, signatures)
        let product = path?.product ?? readable?.cpuid.flatMap(policy.products.product)
        let isUnknown = readable?.isOfUnknownVersion == true && !policy.takesUnknownVersions

        var isWellFormed = false
        switch inspection {
        case .success(let (report, problems)):
            isWellFormed = FormChecks.record(problems, of: report, product: product, policy: policy, in: &findings)
        case .failure(let error): FormChecks.record(error, in: &findings)
        }
        var required = FormChecks.required(isUnknown: isUnknown)
        if let bundle {
            findings.pass(.certificateCount, "\(bundle.count) different certificates, \(bundle.strangers) of them of no use here")
        } else {
            findings.fail(
                .certificateCount,
                "more than \(Self.maximumCertificates) certificates, or more than \(Self.maximumCandidates) with the name of one place "
                    + "in the chain"
            )
        }
        ProductChecks.run(readable, path: path, policy: policy, in: &findings)
        if let path {
            ChainChecks.run(path, policy: policy, signatures, in: &findings)
            RevocationChecks.run(path, policy: policy, signatures, in: &findings)
        } else {
            findings.fail(.leafMissing, "no certificate is named SEV-VCEK or SEV-VLEK")
        }
        required.formUnion(ProductChecks.required)
        required.formUnion(ChainChecks.required)
        required.formUnion(RevocationChecks.required(policy))

        if let readable, isUnknown {
            SignatureChecks.runSignature(readable, path: path, in: &findings)
        } else if let readable {
            SignatureChecks.run(readable, path: path, in: &findings)
            ContentChecks.run(readable, product: product, policy: policy, in: &findings)
            FloorChecks.run(readable, product: product, policy: policy, in: &findings)
            if let path { BindingChecks.run(readable, path: path, policy: policy, in: &findings) }
            required.formUnion(SignatureChecks.required)
            required.formUnion(ContentChecks.required(policy))
            required.formUnion(FloorChecks.required(policy))
            required.formUnion(BindingChecks.required(readable, policy: policy))
            for name in readable.unjudged where !readable.isOfUnknownVersion {
                findings.leaveOut(field: name, "\(name) is set, and what it means in version \(readable.version) is not confirmed")
            }
        }
        return VerificationResult(
            verdict: findings.verdict(required), leftOut: findings.leftOut, notChecked: NotChecked.list(readable, policy),
            checks: findings.checks, report: isWellFormed ? readable : nil, endorsement: path?.endorsement)
    }
}

/// Length, version, algorithm and reserved ranges, as `ReportInspection` found them.
enum FormChecks {
    /// What an unknown version reserves is not known.
    static func required(isUnknown: Bool) -> Set<CheckCode> {
        let always: Set<CheckCode> = [.reportLength, .reportVersion, .signatureAlgorithm, .signatureReserved]
        return isUnknown ? always : always.union([.reportReserved, .policyReserved])
    }

    /// Whether the report may be used as evidence.
    static func record(
        _ problems: [ReportError], of report: AttestationReport, product: ProcessorProduct?, policy: EvidenceVerifier.Policy,
        in findings: inout Findings
    ) -> Bool {
        findings.pass(.reportLength, "\(AttestationReport.byteCount) bytes")
        let isVersionRight = version(of: report, product: product, policy: policy, in: &findings)
        var checks: [(ReportError.Check, CheckCode, String)] = [(.signatureAlgorithm, .signatureAlgorithm, "ECDSA P-384 with SHA-384")]
        if !report.isOfUnknownVersion || policy.takesUnknownVersions {
            checks += [
                (.policyReserved, .policyReserved, "the guest policy's reserved bits are as they must be"),
                (.reserved, .reportReserved, "every reserved field is zero"),
            ]
        }
        checks.append((.signatureReserved, .signatureReserved, "the signature field is zero outside r and s"))
        for (check, code, detail) in checks {
            findings.record(code, complaint: problems.first { $0.check == check }?.detail, otherwise: detail)
        }
        return isVersionRight && problems.allSatisfy { $0.check == .version }
    }

    private static func version(
        of report: AttestationReport, product: ProcessorProduct?, policy: EvidenceVerifier.Policy, in findings: inout Findings
    ) -> Bool {
        let version = report.version
        if version < 2 {
            findings.fail(.reportVersion, "version \(version) is no version of AMD's format in use, which begins with 2")
            return false
        }
        if !policy.takesUnknownVersions {
            guard !report.isOfUnknownVersion else {
                findings.cannotJudge(
                    .reportVersion,
                    "version \(version) is later than \(AttestationReport.newestVersion), the newest that is known: its fields are unjudged"
                )
                return false
            }
            if let product, !product.versions.contains(version) {
                findings.cannotJudge(
                    .reportVersion,
                    "reports of version \(version) are not known of \(product) processors (\(product.versions.lowerBound) to "
                        + "\(product.versions.upperBound)): a product file may say otherwise")
                return false
            }
        }
        findings.pass(.reportVersion, "version \(version)")
        return true
    }

    /// Records what keeps a report from being read at all.
    static func record(_ error: ReportError, in findings: inout Findings) {
        findings.fail(CheckCode(rawValue: error.code) ?? .reportLength, error.detail)
    }
}
