/// Where the fields of ATTESTATION_REPORT are (AMD 56860, table "ATTESTATION_REPORT"). Offsets and lengths in bytes; all integers little-endian.
enum ReportLayout {
    static let byteCount = 0x4A0
    /// What the signature covers.
    static let signedRange = 0x000..<0x2A0

    static let version = 0x000
    static let guestSVN = 0x004
    static let policy = 0x008
    static let familyID = 0x010..<0x020
    static let imageID = 0x020..<0x030
    static let vmpl = 0x030
    static let signatureAlgorithm = 0x034
    static let currentTCB = 0x038
    static let platformInfo = 0x040
    static let keyInfo = 0x048
    static let reservedAfterKeyInfo = 0x04C..<0x050
    static let reportData = 0x050..<0x090
    static let measurement = 0x090..<0x0C0
    static let hostData = 0x0C0..<0x0E0
    static let idKeyDigest = 0x0E0..<0x110
    static let authorKeyDigest = 0x110..<0x140
    static let reportID = 0x140..<0x160
    static let reportIDMA = 0x160..<0x180
    static let reportedTCB = 0x180
    /// Family, model, stepping: one byte each, from version 3 on.
    static let cpuid = 0x188..<0x18B
    static let reservedAfterCPUID = 0x18B..<0x1A0
    static let chipID = 0x1A0..<0x1E0
    static let committedTCB = 0x1E0
    /// Build, minor, major: one byte each.
    static let currentVersion = 0x1E8
    static let reservedAfterCurrentVersion = 0x1EB..<0x1EC
    static let committedVersion = 0x1EC
    static let reservedAfterCommittedVersion = 0x1EF..<0x1F0
    static let launchTCB = 0x1F0
    /// Two u64, from version 5 on.
    static let mitigationVectors = 0x1F8..<0x208
    static let launchMitigationVector = 0x1F8
    static let currentMitigationVector = 0x200
    static let reservedBeforeSignature = 0x208..<0x2A0

    /// r and s: little-endian integers in 72 bytes, of which P-384 uses the first 48.
    static let signatureR = 0x2A0..<0x2E8
    static let signatureS = 0x2E8..<0x330
    static let signatureReserved = 0x330..<0x4A0
    static let scalarByteCount = 48
}
