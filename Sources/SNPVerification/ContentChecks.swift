internal import OpenSSLCrypto
internal import SNPReport

/// What the report says about the guest and the platform, and what the caller expects of it.
enum ContentChecks {
    static func required(_ policy: EvidenceVerifier.Policy) -> Set<CheckCode> {
        var codes: Set<CheckCode> = [.debugAllowed, .migrationAllowed, .vmplHost, .vmplInvalid, .tcbOrder, .firmwareProvisional]
        if policy.expectedVMPL != nil { codes.insert(.vmplMismatch) }
        if policy.expectedReportData != nil { codes.insert(.reportDataMismatch) }
        if policy.expectedHostData != nil { codes.insert(.hostDataMismatch) }
        if policy.expectedMeasurement != nil { codes.insert(.measurementMismatch) }
        if policy.expectedIDKeyDigest != nil { codes.insert(.idKeyDigestMismatch) }
        if policy.expectedAuthorKeyDigest != nil { codes.insert(.authorKeyDigestMismatch) }
        return codes
    }

    static func run(_ report: AttestationReport, product: ProcessorProduct?, policy: EvidenceVerifier.Policy, in findings: inout Findings) {
        judge(
            .debugAllowed, isSet: report.policy.allowsDebug, isAllowed: policy.allowDebug,
            "the guest policy allows debugging: the host may read the guest's memory", "debugging", in: &findings)
        judge(
            .migrationAllowed, isSet: report.policy.allowsMigration, isAllowed: policy.allowMigration,
            "the guest policy allows a migration agent", "migration", in: &findings)
        let vmpl = report.vmpl
        findings.record(
            .vmplHost, complaint: vmpl == .max ? "the host requested the report, not the guest" : nil,
            otherwise: "the host did not request the report")
        if vmpl != .max {
            findings.record(.vmplInvalid, complaint: vmpl <= 3 ? nil : "VMPL \(vmpl) does not exist", otherwise: "VMPL \(vmpl)")
        }
        if let expected = policy.expectedVMPL {
            findings.record(
                .vmplMismatch, complaint: vmpl == expected ? nil : "VMPL \(vmpl), expected \(expected)", otherwise: "VMPL \(vmpl)")
        }
        if let product {
            findings.record(
                .tcbOrder, complaint: tcbOrderComplaint(report, product),
                otherwise: "REPORTED_TCB and COMMITTED_TCB are not newer than CURRENT_TCB")
            provisional(report, product, policy, in: &findings)
        }
        expect(.reportDataMismatch, "REPORT_DATA", report.reportData, policy.expectedReportData, in: &findings)
        expect(.hostDataMismatch, "HOST_DATA", report.hostData, policy.expectedHostData, in: &findings)
        expect(.measurementMismatch, "MEASUREMENT", report.measurement, policy.expectedMeasurement, in: &findings)
        expect(.idKeyDigestMismatch, "ID_KEY_DIGEST", report.idKeyDigest, policy.expectedIDKeyDigest, in: &findings)
        expect(.authorKeyDigestMismatch, "AUTHOR_KEY_DIGEST", report.authorKeyDigest, policy.expectedAuthorKeyDigest, in: &findings)
    }

    /// Clouds run firmware that they have not committed yet; what counts for floors is what cannot be rolled back.
    private static func provisional(
        _ report: AttestationReport, _ product: ProcessorProduct, _ policy: EvidenceVerifier.Policy, in findings: inout Findings
    ) {
        let (current, committed) = (report.currentTCB.components(for: product), report.committedTCB.components(for: product))
        guard current != committed || report.currentVersion != report.committedVersion else {
            findings.pass(.firmwareProvisional, "the firmware that runs is committed")
            return
        }
        let words = "CURRENT (\(current), \(report.currentVersion)) is above COMMITTED (\(committed), \(report.committedVersion))"
        if policy.refusesProvisionalFirmware {
            findings.fail(.firmwareProvisional, words + ": the host may roll it back")
        } else {
            findings.pass(.firmwareProvisional, words + ": provisional, the host may roll it back; accepted")
        }
    }

    private static func judge(
        _ code: CheckCode, isSet: Bool, isAllowed: Bool, _ complaint: String, _ subject: String, in findings: inout Findings
    ) {
        findings.record(
            code, complaint: isSet && !isAllowed ? complaint : nil,
            otherwise: isSet ? "\(subject) is allowed, and accepted on request" : "\(subject) is not allowed")
    }

    private static func expect(_ code: CheckCode, _ field: String, _ actual: [UInt8], _ expected: [UInt8]?, in findings: inout Findings) {
        guard let expected else { return }
        let complaint: String? =
            expected.count != actual.count
            ? "\(field) has \(actual.count) bytes, the expected value \(expected.count)"
            : actual != expected ? "\(field) is \(Hex.encode(actual)), expected \(Hex.encode(expected))" : nil
        findings.record(code, complaint: complaint, otherwise: "\(field) is as expected")
    }

    /// LAUNCH_TCB is left alone: firmware that was not committed may be rolled back while a guest runs.
    private static func tcbOrderComplaint(_ report: AttestationReport, _ product: ProcessorProduct) -> String? {
        let current = report.currentTCB.components(for: product)
        for (name, tcb) in [("REPORTED_TCB", report.reportedTCB), ("COMMITTED_TCB", report.committedTCB)] {
            let components = tcb.components(for: product)
            if !components.isAtMost(current) { return "\(name) (\(components)) is newer than CURRENT_TCB (\(current))" }
        }
        return nil
    }
}
