internal import SNPReport

/// Whether firmware, microcode, mitigations and platform are what the caller asks for at least.
enum FloorChecks {
    static func required(_ policy: EvidenceVerifier.Policy) -> Set<CheckCode> {
        var codes: Set<CheckCode> = []
        if policy.minimumTCB != nil || !policy.floors.isEmpty { codes.insert(.tcbBelowMinimum) }
        if !policy.floors.isEmpty { codes.insert(.floorUnknown) }
        if policy.requiredMitigations != 0 { codes.insert(.mitigationMissing) }
        if policy.requiredPlatformBits != 0 { codes.insert(.platformBitsMissing) }
        return codes
    }

    static func run(_ report: AttestationReport, product: ProcessorProduct?, policy: EvidenceVerifier.Policy, in findings: inout Findings) {
        // What a report says of a processor that the chain is not of, is the business of `product-mismatch`.
        let rows = policy.floors.map { floor in (floor, floor.rows(for: report.cpuid, of: product)) }
        if !policy.floors.isEmpty {
            let unknown = rows.filter { $0.1.isEmpty && !$0.0.othersNeedNothing }.map(\.0)
            let processor = report.cpuid.map { "processor \($0)" } ?? "this processor"
            if unknown.isEmpty {
                findings.pass(.floorUnknown, "every floor says something of \(processor)")
            } else {
                findings.cannotJudge(
                    .floorUnknown,
                    unknown.map { "\($0.name) names no value for \(processor) (\($0.source))" }.joined(separator: "; "))
            }
        }
        if policy.minimumTCB != nil || !policy.floors.isEmpty {
            minimum(report, product, policy.minimumTCB, rows, in: &findings)
        }
        if policy.requiredMitigations != 0 {
            findings.record(
                .mitigationMissing, complaint: mitigationComplaint(report, policy.requiredMitigations),
                otherwise: "the mitigations \(BitMask.text(policy.requiredMitigations)) were active at launch and are now")
        }
        var bits: [(mask: UInt64, by: String?)] = policy.requiredPlatformBits == 0 ? [] : [(policy.requiredPlatformBits, nil)]
        for (floor, rows) in rows { bits += rows.filter { $0.platformBits != 0 }.map { ($0.platformBits, floor.name) } }
        if !bits.isEmpty {
            let missing = bits.filter { report.platformInfo.raw & $0.mask != $0.mask }
            findings.record(
                .platformBitsMissing,
                complaint: missing.isEmpty
                    ? nil
                    : missing.map { bit in
                        "PLATFORM_INFO \(BitMask.text(report.platformInfo.raw)) lacks "
                            + "\(BitMask.text(bit.mask & ~report.platformInfo.raw))" + (bit.by.map { ", which \($0) needs" } ?? "")
                    }.joined(separator: "; "), otherwise: "the required platform bits are set")
        }
    }

    private static func minimum(
        _ report: AttestationReport, _ product: ProcessorProduct?, _ own: MinimumTCB?, _ rows: [(FloorPreset, [FloorPreset.Row])],
        in findings: inout Findings
    ) {
        guard let product else {
            findings.fail(.tcbBelowMinimum, "the product is not known, so its TCB cannot be compared")
            return
        }
        let wanted =
            (own.map { [("the minimum", $0)] } ?? []) + rows.flatMap { floor, rows in rows.map { (floor.name, $0.minimum) } }
        let fields = [("REPORTED_TCB", report.reportedTCB), ("COMMITTED_TCB", report.committedTCB)]
        var complaints: [String] = []
        for (name, minimum) in wanted {
            let low = fields.compactMap { minimum.complaint(about: $0.1.components(for: product), field: $0.0) }
            if !low.isEmpty { complaints.append(low.joined(separator: ", ") + " (\(name))") }
        }
        let names = wanted.map { "\($0.0) \($0.1)" }
        findings.record(
            .tcbBelowMinimum, complaint: complaints.isEmpty ? nil : complaints.joined(separator: "; "),
            otherwise: "REPORTED_TCB and COMMITTED_TCB reach \(names.isEmpty ? "every floor" : names.joined(separator: ", "))")
    }

    /// Absent is not zero, and no proof either.
    private static func mitigationComplaint(_ report: AttestationReport, _ mask: UInt64) -> String? {
        guard let launch = report.launchMitigationVector, let current = report.currentMitigationVector else {
            return "unproven: a report of version \(report.version) has no mitigation vectors"
        }
        let missing = [("LAUNCH_MIT_VECTOR", launch), ("CURRENT_MIT_VECTOR", current)].filter { $0.1 & mask != mask }
        return missing.isEmpty
            ? nil
            : missing.map { "\($0.0) \(BitMask.text($0.1)) lacks \(BitMask.text(mask & ~$0.1))" }.joined(separator: "; ")
    }
}
