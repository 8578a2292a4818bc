/// Where the fields of ATTESTATION_REPORT are (AMD 56860, table "ATTESTATION_REPORT"). Offsets and lengths in bytes; all integers
/// little-endian.
package enum ReportLayout {
    package static let byteCount = 0x4A0
    /// What the signature covers.
    package static let signedRange = 0x000..<0x2A0

    package static let version = 0x000
    package static let guestSVN = 0x004
    package static let policy = 0x008
    package static let familyID = 0x010..<0x020
    package static let imageID = 0x020..<0x030
    package static let vmpl = 0x030
    package static let signatureAlgorithm = 0x034
    package static let currentTCB = 0x038
    package static let platformInfo = 0x040
    package static let keyInfo = 0x048
    package static let reservedAfterKeyInfo = 0x04C..<0x050
    package static let reportData = 0x050..<0x090
    package static let measurement = 0x090..<0x0C0
    package static let hostData = 0x0C0..<0x0E0
    package static let idKeyDigest = 0x0E0..<0x110
    package static let authorKeyDigest = 0x110..<0x140
    package static let reportID = 0x140..<0x160
    package static let reportIDMA = 0x160..<0x180
    package static let reportedTCB = 0x180
    /// Family, model, stepping: one byte each, from version 3 on.
    package static let cpuid = 0x188..<0x18B
    package static let reservedAfterCPUID = 0x18B..<0x1A0
    package static let chipID = 0x1A0..<0x1E0
    package static let committedTCB = 0x1E0
    /// Build, minor, major: one byte each.
    package static let currentVersion = 0x1E8
    package static let reservedAfterCurrentVersion = 0x1EB..<0x1EC
    package static let committedVersion = 0x1EC
    package static let reservedAfterCommittedVersion = 0x1EF..<0x1F0
    package static let launchTCB = 0x1F0
    /// Two u64, from version 5 on.
    package static let mitigationVectors = 0x1F8..<0x208
    package static let launchMitigationVector = 0x1F8
    package static let currentMitigationVector = 0x200
    package static let reservedBeforeSignature = 0x208..<0x2A0

    /// Three times 32 bytes, from version 6 on.
    package static let reservedAfterMitigationVectors = 0x208..<0x220
    package static let currentETCB = 0x220..<0x240
    package static let launchETCB = 0x240..<0x260
    package static let committedETCB = 0x260..<0x280
    package static let reservedAfterETCBs = 0x280..<0x2A0

    /// r and s: little-endian integers in 72 bytes, of which P-384 uses the first 48.
    package static let signatureR = 0x2A0..<0x2E8
    package static let signatureS = 0x2E8..<0x330
    package static let signatureReserved = 0x330..<0x4A0
    package static let scalarByteCount = 48
}
