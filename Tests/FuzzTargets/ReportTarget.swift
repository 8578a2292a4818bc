internal import AttestationTokens
internal import Issuing
internal import OpenSSLCrypto
internal import SNPReport
internal import SNPVerification
internal import StrictJSON

extension FuzzTarget {
    /// SNP reports: a second reader of the layout agrees, field by field and fault by fault.
    static let report = FuzzTarget("report", maximumBytes: 1200, seeds: ReportTarget.seeds, run: ReportTarget.run)
}

private enum ReportTarget {
    @Sendable static func seeds() -> [[UInt8]] {
        (2...6).map { version in
            var builder = ReportBuilder()
            builder.version = UInt32(version)
            builder.setEveryTCB(TCBVersion(raw: 0xDB18_0000_0000_0004))
            if version >= 3 { builder.cpuid = ProcessorID(family: 0x19, model: 0x01, stepping: 1) }
            builder.reportData = [UInt8](0..<64)
            builder.chipID = [UInt8](64..<128)
            return builder.unsignedBytes()
        }
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let report: AttestationReport
        let problems: [ReportError]
        do { (report, problems) = try AttestationReport.inspect(input) } catch {
            try require(input.count != 0x4A0 && error.check == .length, "1184 bytes are refused: \(error)")
            return false
        }
        try require(input.count == 0x4A0, "\(input.count) bytes are a report")
        let second = SecondReader(bytes: input)
        let codes = Set(problems.map(\.check))
        let found = planted(codes, instead: report.version == 5 ? codes.subtracting([.reserved]) : codes)
        try require(found == second.problems, "problems \(found), by the second reader \(second.problems)")
        try compare(report, second)
        let isTaken = (try? AttestationReport(input)) != nil
        try require(isTaken == (second.number(0, 4) >= 2 && second.number(0x34, 4) == 1), "taken: \(isTaken)")
        let result = EvidenceVerifier().verify(report: input, certificates: [], policy: EvidenceVerifier.Policy(time: 1_700_000_000))
        try require(!result.isAcceptable, "a report without certificates is \(result.verdict)")
        let claims = ReportClaims.make(report)
        try require(claims["x-ms-sevsnpvm-hostdata"] == .string(Hex.encode(input[0xC0..<0xE0])), "the claim hostdata")
        if problems.isEmpty { try rebuild(report, input) }
        return isTaken
    }

    private static func compare(_ report: AttestationReport, _ second: SecondReader) throws {
        let numbers: [(String, UInt64, Int, Int)] = [
            ("version", UInt64(report.version), 0x00, 4), ("guest_svn", UInt64(report.guestSVN), 0x04, 4),
            ("policy", report.policy.raw, 0x08, 8), ("vmpl", UInt64(report.vmpl), 0x30, 4),
            ("signature_algo", UInt64(report.signatureAlgorithm), 0x34, 4), ("current_tcb", report.currentTCB.raw, 0x38, 8),
            ("platform_info", report.platformInfo.raw, 0x40, 8), ("key_info", UInt64(report.keyInfo.raw), 0x48, 4),
            ("reported_tcb", report.reportedTCB.raw, 0x180, 8), ("committed_tcb", report.committedTCB.raw, 0x1E0, 8),
            ("launch_tcb", report.launchTCB.raw, 0x1F0, 8),
        ]
        for (name, value, offset, count) in numbers { try require(value == second.number(offset, count), name) }
        let fields: [(String, [UInt8], Int, Int)] = [
            ("report_data", report.reportData, 0x50, 64), ("measurement", report.measurement, 0x90, 48),
            ("host_data", report.hostData, 0xC0, 32), ("id_key_digest", report.idKeyDigest, 0xE0, 48),
            ("author_key_digest", report.authorKeyDigest, 0x110, 48), ("report_id", report.reportID, 0x140, 32),
            ("report_id_ma", report.reportIDMA, 0x160, 32), ("chip_id", report.chipID, 0x1A0, 64),
            ("family_id", report.familyID, 0x10, 16), ("image_id", report.imageID, 0x20, 16),
            ("signature r", report.signatureR.reversed(), 0x2A0, 48), ("signature s", report.signatureS.reversed(), 0x2E8, 48),
            ("signed bytes", report.signedBytes, 0, 0x2A0),
        ]
        for (name, value, offset, count) in fields { try require(value == Array(second.bytes[offset..<offset + count]), name) }
        try require((report.cpuid == nil) == (report.version < 3), "cpuid")
        try require((report.currentETCB == nil) == (report.version < 6), "current_etcb")
    }

    /// Written again from its fields it is the same.
    private static func rebuild(_ report: AttestationReport, _ input: [UInt8]) throws {
        var builder = ReportBuilder()
        builder.version = report.version
        builder.guestSVN = report.guestSVN
        builder.policy = report.policy
        builder.familyID = report.familyID
        builder.imageID = report.imageID
        builder.vmpl = report.vmpl
        builder.currentTCB = report.currentTCB
        builder.platformInfo = report.platformInfo
        builder.keyInfo = report.keyInfo
        builder.reportData = report.reportData
        builder.measurement = report.measurement
        builder.hostData = report.hostData
        builder.idKeyDigest = report.idKeyDigest
        builder.authorKeyDigest = report.authorKeyDigest
        builder.reportID = report.reportID
        builder.reportIDMA = report.reportIDMA
        builder.reportedTCB = report.reportedTCB
        builder.cpuid = report.cpuid
        builder.chipID = report.chipID
        builder.committedTCB = report.committedTCB
        builder.currentVersion = report.currentVersion
        builder.committedVersion = report.committedVersion
        builder.launchTCB = report.launchTCB
        // Version 4 has the vectors in no known form.
        guard report.version != 4 || input[0x1F8..<0x208].allSatisfy({ $0 == 0 }) else { return }
        builder.launchMitigationVector = report.launchMitigationVector ?? 0
        builder.currentMitigationVector = report.currentMitigationVector ?? 0
        builder.currentETCB = report.currentETCB?.bytes ?? []
        builder.launchETCB = report.launchETCB?.bytes ?? []
        builder.committedETCB = report.committedETCB?.bytes ?? []
        try require(builder.unsignedBytes().prefix(0x2A0) == input.prefix(0x2A0), "a report is not what its fields make")
    }
}

/// The layout read once more, by numbers (AttestationReport.md, "Layout").
private struct SecondReader {
    let bytes: [UInt8]

    func number(_ offset: Int, _ count: Int) -> UInt64 {
        (0..<count).reduce(0) { $0 + UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }

    private func isSet(_ start: Int, _ end: Int) -> Bool { bytes[start..<end].contains { $0 != 0 } }

    var problems: Set<ReportError.Check> {
        var found: Set<ReportError.Check> = []
        let version = number(0, 4)
        if version < 2 || version > 6 { found.insert(.version) }
        if number(0x34, 4) != 1 { found.insert(.signatureAlgorithm) }
        if isSet(0x2D0, 0x2E8) || isSet(0x318, 0x330) || isSet(0x330, 0x4A0) { found.insert(.signatureReserved) }
        guard version <= 6 else { return found }
        let policy = number(8, 8)
        if policy & 0x20000 == 0 || policy >= 1 << 26 { found.insert(.policyReserved) }
        var reserved = number(0x48, 4) >= 32 || isSet(0x4C, 0x50) || isSet(0x18B, 0x1A0) || isSet(0x1EB, 0x1EC) || isSet(0x1EF, 0x1F0)
        if version < 3 { reserved = reserved || isSet(0x188, 0x18B) }
        if version < 4 { reserved = reserved || isSet(0x1F8, 0x208) }
        reserved = reserved || (version < 6 ? isSet(0x208, 0x2A0) : isSet(0x208, 0x220) || isSet(0x280, 0x2A0))
        if reserved { found.insert(.reserved) }
        return found
    }
}
