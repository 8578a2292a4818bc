package import SNPReport
/// Composes a report for fixtures and tests, which have no processor to ask. Every field starts out as a plausible Azure guest has it.
package struct ReportBuilder: Sendable {
    package var version: UInt32 = 3
    package var guestSVN: UInt32 = 2
    /// ABI 0.31, SMT allowed, bit 17.
    package var policy = GuestPolicy(raw: 0x3001F)
    /// 16 bytes.
    package var familyID: [UInt8] = [1] + [UInt8](repeating: 0, count: 15)
    /// 16 bytes.
    package var imageID: [UInt8] = [2] + [UInt8](repeating: 0, count: 15)
    package var vmpl: UInt32 = 0
    package var signatureAlgorithm: UInt32 = 1
    package var currentTCB = TCBVersion(raw: 0)
    /// SMT, ECC and the alias check.
    package var platformInfo = PlatformInfo(raw: 0x25)
    package var keyInfo = KeyInfo(raw: 0)
    /// 64 bytes.
    package var reportData = [UInt8](repeating: 0, count: 64)
    /// 48 bytes.
    package var measurement = [UInt8](repeating: 0, count: 48)
    /// 32 bytes.
    package var hostData = [UInt8](repeating: 0, count: 32)
    /// 48 bytes.
    package var idKeyDigest = [UInt8](repeating: 0, count: 48)
    /// 48 bytes.
    package var authorKeyDigest = [UInt8](repeating: 0, count: 48)
    /// 32 bytes.
    package var reportID = [UInt8](repeating: 0, count: 32)
    /// 32 bytes; all 0xFF means that there is no migration agent.
    package var reportIDMA = [UInt8](repeating: 0xFF, count: 32)
    package var reportedTCB = TCBVersion(raw: 0)
    /// Written from version 3 on.
    package var cpuid: ProcessorID?
    /// 64 bytes.
    package var chipID = [UInt8](repeating: 0, count: 64)
    package var committedTCB = TCBVersion(raw: 0)
    package var currentVersion = FirmwareVersion(major: 1, minor: 55, build: 29)
    package var committedVersion = FirmwareVersion(major: 1, minor: 55, build: 29)
    package var launchTCB = TCBVersion(raw: 0)
    /// Written from version 4 on, of which nobody knows whether it has them.
    package var launchMitigationVector: UInt64 = 0
    /// Written from version 4 on, too.
    package var currentMitigationVector: UInt64 = 0
    /// 32 bytes each, written from version 6 on.
    package var currentETCB = [UInt8](repeating: 0, count: 32)
    package var launchETCB = [UInt8](repeating: 0, count: 32)
    package var committedETCB = [UInt8](repeating: 0, count: 32)

    package init() {}

    /// Sets the same TCB in all four places, as on a platform that was not updated while the guest ran.
    package mutating func setEveryTCB(_ tcb: TCBVersion) {
        currentTCB = tcb
        reportedTCB = tcb
        committedTCB = tcb
        launchTCB = tcb
    }

    /// The 1184 bytes with an all-zero signature. A byte field that is too short is followed by zeros, one that is too long is cut.
    package func unsignedBytes() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: ReportLayout.byteCount)
        func put<Integer: FixedWidthInteger>(_ value: Integer, at offset: Int) {
            withUnsafeBytes(of: value.littleEndian) { source in for (index, byte) in source.enumerated() { bytes[offset + index] = byte } }
        }
        func put(_ value: [UInt8], in range: Range<Int>) { for (offset, byte) in zip(range, value) { bytes[offset] = byte } }
        put(version, at: ReportLayout.version)
        put(guestSVN, at: ReportLayout.guestSVN)
        put(policy.raw, at: ReportLayout.policy)
        put(familyID, in: ReportLayout.familyID)
        put(imageID, in: ReportLayout.imageID)
        put(vmpl, at: ReportLayout.vmpl)
        put(signatureAlgorithm, at: ReportLayout.signatureAlgorithm)
        put(currentTCB.raw, at: ReportLayout.currentTCB)
        put(platformInfo.raw, at: ReportLayout.platformInfo)
        put(keyInfo.raw, at: ReportLayout.keyInfo)
        put(reportData, in: ReportLayout.reportData)
        put(measurement, in: ReportLayout.measurement)
        put(hostData, in: ReportLayout.hostData)
        put(idKeyDigest, in: ReportLayout.idKeyDigest)
        put(authorKeyDigest, in: ReportLayout.authorKeyDigest)
        put(reportID, in: ReportLayout.reportID)
        put(reportIDMA, in: ReportLayout.reportIDMA)
        put(reportedTCB.raw, at: ReportLayout.reportedTCB)
        if version >= 3, let cpuid { put([cpuid.family, cpuid.model, cpuid.stepping], in: ReportLayout.cpuid) }
        put(chipID, in: ReportLayout.chipID)
        put(committedTCB.raw, at: ReportLayout.committedTCB)
        for (value, offset) in [(currentVersion, ReportLayout.currentVersion), (committedVersion, ReportLayout.committedVersion)] {
            put([value.build, value.minor, value.major], in: offset..<offset + 3)
        }
        put(launchTCB.raw, at: ReportLayout.launchTCB)
        if version >= 6 {
            put(currentETCB, in: ReportLayout.currentETCB)
            put(launchETCB, in: ReportLayout.launchETCB)
            put(committedETCB, in: ReportLayout.committedETCB)
        }
        if version >= 4 {
            put(launchMitigationVector, at: ReportLayout.launchMitigationVector)
            put(currentMitigationVector, at: ReportLayout.currentMitigationVector)
        }
        return bytes
    }

    /// The part of `report` that is to be signed: its first 672 bytes.
    package static func signedPart(of report: [UInt8]) -> [UInt8] { Array(report.prefix(ReportLayout.signedRange.upperBound)) }

    /// Writes a raw P-384 signature (r and s big-endian, 96 bytes) into a report of 1184 bytes; `false` when a length is wrong.
    package static func install(signature: [UInt8], in report: inout [UInt8]) -> Bool {
        let half = ReportLayout.scalarByteCount
        guard signature.count == 2 * half, report.count == ReportLayout.byteCount else { return false }
        for index in 0..<half {
            report[ReportLayout.signatureR.lowerBound + index] = signature[half - 1 - index]
            report[ReportLayout.signatureS.lowerBound + index] = signature[2 * half - 1 - index]
        }
        return true
    }
}
