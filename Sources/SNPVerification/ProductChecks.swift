internal import SNPReport

/// Whether the processor's product can be verified here, and may be.
enum ProductChecks {
    static let required: Set<CheckCode> = [.productUnsupported, .productDenied]

    static func run(
        _ report: AttestationReport?, path: EndorsementPath?, policy: EvidenceVerifier.Policy, in findings: inout Findings
    ) {
        let reported = report?.cpuid.flatMap(policy.products.product)
        if let product = path?.product ?? reported {
            findings.record(
                .productDenied, complaint: policy.products.entry(of: product)?.isDenied == true ? "\(product) is denied here" : nil,
                otherwise: "\(product) is not denied")
            if policy.roots.contains(where: { $0.product == product }) {
                findings.pass(.productUnsupported, "there is a root for \(product)")
            } else {
                cannotJudge("there is no root for \(product): a product file may name one", in: &findings)
            }
        } else if let processor = report?.cpuid {
            findings.pass(.productDenied, "the product is not known")
            cannotJudge("the processor (family, model, stepping \(processor)) belongs to no known product", in: &findings)
        }
    }

    /// Nothing of the chain can then be judged beyond its holding together.
    private static func cannotJudge(_ detail: String, in findings: inout Findings) {
        findings.cannotJudge(
            .productUnsupported, detail,
            consequences: [.leafMissing, .chainIncomplete, .certificateNames, .extensionInvalid, .productMismatch, .tcbMismatch])
    }
}

/// What a verification does not look at, for everybody who reads its verdict.
enum NotChecked {
    static func list(_ report: AttestationReport?, _ policy: EvidenceVerifier.Policy) -> [Omission] {
        var list: [Omission] = []
        func add(_ code: String, _ detail: String, if isOpen: Bool = true) { if isOpen { list.append(Omission(code, detail)) } }
        add(
            "report-data", "whether the report was made for this occasion: no report data was expected",
            if: policy.expectedReportData == nil)
        add("host-data", "which configuration the guest was launched with: no host data was expected", if: policy.expectedHostData == nil)
        add("measurement", "what was launched: no measurement was expected", if: policy.expectedMeasurement == nil)
        add(
            "id-key-digest", "who signed the guest's ID block: no key was expected",
            if: policy.expectedIDKeyDigest == nil && policy.expectedAuthorKeyDigest == nil)
        add("vmpl", "at which privilege level the report was made: none was expected", if: policy.expectedVMPL == nil)
        add("revocation", "whether AMD revoked the intermediate certificate", if: policy.revocation.mode == .off)
        add(
            "minimum-tcb", "whether firmware and microcode are recent enough: no minimum was given",
            if: policy.minimumTCB == nil && policy.floors.isEmpty)
        add("mitigations", "which mitigations are active: none was required", if: policy.requiredMitigations == 0)
        add("platform-bits", "how the platform is set up: no bit was required", if: policy.requiredPlatformBits == 0)
        if let report, report.version >= 6, !report.isOfUnknownVersion {
            add("etcb", "the extended TCB, which no certificate covers")
        }
        if let report, report.isOfUnknownVersion, !policy.takesUnknownVersions {
            for name in report.unjudged { add(name, "a field of a version that is not known: unjudged") }
        }
        return list
    }
}
