/// A decoded SEV-SNP attestation report (AMD 56860, table "ATTESTATION_REPORT"), versions 2 to 6, and as far as that goes any later one.
///
/// The value keeps the 1184 bytes and reads fields on demand, so decoding costs one pass over the reserved ranges. Nothing here says that
/// the report is genuine; that is `SNPVerification`'s job.
package struct AttestationReport: Sendable, Equatable {
    /// Size of every report in bytes.
    package static let byteCount = ReportLayout.byteCount

    /// The report as it was given, 1184 bytes.
    package let bytes: [UInt8]

    /// Takes what never changed since version 2: the length, and the signature algorithm, with which the signature's place and range go.
    /// That is enough for passing a report on to somebody who judges it. Whoever judges it here asks `inspect`.
    package init(_ bytes: [UInt8]) throws(ReportError) {
        let (report, problems) = try Self.inspect(bytes)
        if let problem = problems.first(where: { $0.check == .signatureAlgorithm || $0.check == .version && report.version < 2 }) {
            throw problem
        }
        self = report
    }

    init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// VERSION: 2 or more.
    package var version: UInt32 { integer(at: ReportLayout.version) }
    /// GUEST_SVN, from the ID block.
    package var guestSVN: UInt32 { integer(at: ReportLayout.guestSVN) }
    package var policy: GuestPolicy { GuestPolicy(raw: integer(at: ReportLayout.policy)) }
    /// 16 bytes.
    package var familyID: [UInt8] { Array(bytes[ReportLayout.familyID]) }
    /// 16 bytes.
    package var imageID: [UInt8] { Array(bytes[ReportLayout.imageID]) }
    /// Privilege level of the guest software that asked: 0...3, or 0xFFFFFFFF when the host did.
    package var vmpl: UInt32 { integer(at: ReportLayout.vmpl) }
    /// SIGNATURE_ALGO: 1 is ECDSA P-384 with SHA-384.
    package var signatureAlgorithm: UInt32 { integer(at: ReportLayout.signatureAlgorithm) }
    /// TCB of the firmware that runs now.
    package var currentTCB: TCBVersion { TCBVersion(raw: integer(at: ReportLayout.currentTCB)) }
    package var platformInfo: PlatformInfo { PlatformInfo(raw: integer(at: ReportLayout.platformInfo)) }
    package var keyInfo: KeyInfo { KeyInfo(raw: integer(at: ReportLayout.keyInfo)) }
    /// 64 bytes that the guest chose.
    package var reportData: [UInt8] { Array(bytes[ReportLayout.reportData]) }
    /// 48 bytes: launch digest.
    package var measurement: [UInt8] { Array(bytes[ReportLayout.measurement]) }
    /// 32 bytes that the host set at launch.
    package var hostData: [UInt8] { Array(bytes[ReportLayout.hostData]) }
    /// 48 bytes: SHA-384 of the key that signed the ID block, zero without one.
    package var idKeyDigest: [UInt8] { Array(bytes[ReportLayout.idKeyDigest]) }
    /// 48 bytes: SHA-384 of the author key, zero without one.
    package var authorKeyDigest: [UInt8] { Array(bytes[ReportLayout.authorKeyDigest]) }
    /// 32 bytes, constant for the guest's life.
    package var reportID: [UInt8] { Array(bytes[ReportLayout.reportID]) }
    /// 32 bytes: the migration agent's report id, all 0xFF without one.
    package var reportIDMA: [UInt8] { Array(bytes[ReportLayout.reportIDMA]) }
    /// TCB from which the signing key was derived.
    package var reportedTCB: TCBVersion { TCBVersion(raw: integer(at: ReportLayout.reportedTCB)) }
    /// The processor, from version 3 on.
    package var cpuid: ProcessorID? {
        guard version >= 3 else { return nil }
        let start = ReportLayout.cpuid.lowerBound
        return ProcessorID(family: bytes[start], model: bytes[start + 1], stepping: bytes[start + 2])
    }
    /// 64 bytes: chip id; from Turin on 8 bytes and zeros; all zero when masked.
    package var chipID: [UInt8] { Array(bytes[ReportLayout.chipID]) }
    /// TCB below which the firmware cannot be rolled back.
    package var committedTCB: TCBVersion { TCBVersion(raw: integer(at: ReportLayout.committedTCB)) }
    package var currentVersion: FirmwareVersion { firmwareVersion(at: ReportLayout.currentVersion) }
    package var committedVersion: FirmwareVersion { firmwareVersion(at: ReportLayout.committedVersion) }
    /// CURRENT_TCB when the guest was launched or imported.
    package var launchTCB: TCBVersion { TCBVersion(raw: integer(at: ReportLayout.launchTCB)) }
    /// Mitigations that were active at launch, from version 5 on.
    package var launchMitigationVector: UInt64? { version >= 5 ? integer(at: ReportLayout.launchMitigationVector) : nil }
    /// Mitigations that are active now, from version 5 on.
    package var currentMitigationVector: UInt64? { version >= 5 ? integer(at: ReportLayout.currentMitigationVector) : nil }

    /// The extended TCB of what runs now, from version 6 on.
    package var currentETCB: ExtendedTCB? { extendedTCB(at: ReportLayout.currentETCB) }
    /// The extended TCB when the guest was launched or imported, from version 6 on.
    package var launchETCB: ExtendedTCB? { extendedTCB(at: ReportLayout.launchETCB) }
    /// The extended TCB below which the platform cannot be rolled back, from version 6 on.
    package var committedETCB: ExtendedTCB? { extendedTCB(at: ReportLayout.committedETCB) }

    /// The signature's r, 48 bytes big-endian.
    package var signatureR: [UInt8] { scalar(in: ReportLayout.signatureR) }
    /// The signature's s, 48 bytes big-endian.
    package var signatureS: [UInt8] { scalar(in: ReportLayout.signatureS) }
    /// r and s big-endian, 96 bytes: the form in which P-384 signatures are verified.
    package var signature: [UInt8] { signatureR + signatureS }
    /// The first 672 bytes, which the signature covers.
    package var signedBytes: [UInt8] { Array(bytes[ReportLayout.signedRange]) }

    /// Built-in product line by CPUID; `nil` for version 2, which does not say, and for processors that are not known here.
    package var product: ProcessorProduct? { cpuid?.product }
    /// Whether the firmware hides the chip's identity: CHIP_ID is all zero.
    package var isChipIDMasked: Bool { bytes[ReportLayout.chipID].allSatisfy { $0 == 0 } }

    /// Lends the signed bytes without a copy.
    package func withSignedBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[ReportLayout.signedRange])) }
    }

    private func integer<Integer: FixedWidthInteger>(at offset: Int) -> Integer {
        bytes.withUnsafeBytes { Integer(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Integer.self)) }
    }

    private func firmwareVersion(at offset: Int) -> FirmwareVersion {
        FirmwareVersion(major: bytes[offset + 2], minor: bytes[offset + 1], build: bytes[offset])
    }

    private func extendedTCB(at range: Range<Int>) -> ExtendedTCB? { version >= 6 ? ExtendedTCB(Array(bytes[range])) : nil }

    private func scalar(in range: Range<Int>) -> [UInt8] { bytes[range].prefix(ReportLayout.scalarByteCount).reversed() }
}
