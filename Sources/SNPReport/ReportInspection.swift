extension AttestationReport {
    /// Reads the fields of 1184 bytes and lists everything that is wrong with their form, so that a verifier can name more than the first
    /// complaint. A report with problems must not be used as evidence. Throws only `report-length`.
    package static func inspect(_ bytes: [UInt8]) throws(ReportError) -> (report: AttestationReport, problems: [ReportError]) {
        guard bytes.count == byteCount else { throw ReportError(.length, "a report has \(byteCount) bytes, this has \(bytes.count)") }
        let report = AttestationReport(unchecked: bytes)
        return (report, report.formProblems())
    }

    private func formProblems() -> [ReportError] {
        var problems: [ReportError] = []
        let version = self.version
        if !(2...Self.newestVersion).contains(version) {
            problems.append(ReportError(.version, "version \(version) is not one of 2 to \(Self.newestVersion)"))
        }
        if signatureAlgorithm != 1 {
            problems.append(
                ReportError(.signatureAlgorithm, "signature algorithm \(signatureAlgorithm) is not 1, ECDSA P-384 with SHA-384"))
        }
        // What a later version reserves is not known; `unjudged` names what is set there.
        if !isOfUnknownVersion { problems += reservedProblems() }
        if let range = firstNonZero(of: Self.signatureReserved) {
            problems.append(ReportError(.signatureReserved, "\(Self.words(range)) of the signature must be zero"))
        }
        return problems
    }

    private func reservedProblems() -> [ReportError] {
        var problems: [ReportError] = []
        if !policy.reservedOne {
            problems.append(ReportError(.policyReserved, "guest policy bit 17 must be one"))
        } else if policy.reservedHighBits != 0 {
            problems.append(ReportError(.policyReserved, "guest policy bits 26 to 63 must be zero"))
        }
        if let complaint = reservedComplaint(version: version) { problems.append(ReportError(.reserved, complaint)) }
        return problems
    }

    /// Bytes of the signature field that hold nothing: the unused top of r and of s, and the rest.
    private static let signatureReserved = [
        ReportLayout.signatureR.lowerBound + ReportLayout.scalarByteCount..<ReportLayout.signatureR.upperBound,
        ReportLayout.signatureS.lowerBound + ReportLayout.scalarByteCount..<ReportLayout.signatureS.upperBound,
        ReportLayout.signatureReserved,
    ]

    private func reservedComplaint(version: UInt32) -> String? {
        if keyInfo.reservedBits != 0 { return "key information bits 5 to 31 must be zero" }
        var ranges = [
            ReportLayout.reservedAfterKeyInfo, ReportLayout.reservedAfterCPUID, ReportLayout.reservedAfterCurrentVersion,
            ReportLayout.reservedAfterCommittedVersion,
        ]
        if version < 3 { ranges.append(ReportLayout.cpuid) }
        if version < 4 { ranges.append(ReportLayout.mitigationVectors) }
        ranges +=
            version < 6
            ? [ReportLayout.reservedBeforeSignature] : [ReportLayout.reservedAfterMitigationVectors, ReportLayout.reservedAfterETCBs]
        return firstNonZero(of: ranges).map { "\(Self.words($0)) must be zero in version \(version)" }
    }

    private func firstNonZero(of ranges: [Range<Int>]) -> Range<Int>? {
        bytes.withUnsafeBytes { all in
            ranges.first { range in
                var union: UInt8 = 0
                for offset in range { union |= all[offset] }
                return union != 0
            }
        }
    }

    static func words(_ range: Range<Int>) -> String {
        let first = "0x" + UInt64(range.lowerBound).hexDigits(3)
        return range.count == 1 ? "byte \(first)" : "bytes \(first) to 0x" + UInt64(range.upperBound - 1).hexDigits(3)
    }
}
