internal import OpenSSLCrypto

/// The 64 caller-chosen bytes of an attestation report (REPORT_DATA, AMD 56860 table "ATTESTATION_REPORT", offset 0x50).
public struct ReportData: Sendable, Hashable {
    /// Always 64 bytes.
    public let bytes: [UInt8]

    /// SHA-256 of `content` followed by 32 zero bytes: the form that Microsoft Azure Attestation compares with the runtime data.
    public init(sha256Of content: some Collection<UInt8>) {
        bytes = DigestAlgorithm.sha256.digest(Array(content)) + [UInt8](repeating: 0, count: 32)
    }

    /// Exactly 64 bytes, otherwise `nil`. Nothing is padded, so that a short nonce is never mistaken for the whole field.
    public init?(exactly bytes: [UInt8]) {
        guard bytes.count == 64 else { return nil }
        self.bytes = bytes
    }
}

/// The bytes that a report commits to through `ReportData.init(sha256Of:)`, kept exactly as they were hashed.
public struct RuntimeData: Sendable, Hashable {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// What the report must carry for these bytes.
    public var reportData: ReportData { ReportData(sha256Of: bytes) }
}
