/// A signed report with what is needed to check it.
public struct Evidence: Sendable {
    /// Where a report came from. Fixture evidence says so wherever it goes.
    public enum Provenance: String, Sendable {
        /// Signed by the processor of this machine.
        case hardware
        /// Made by the fixture provider, or replayed from a file: proves nothing about this machine.
        case fixture
    }

    /// The raw report: for SEV-SNP the 1184 bytes of ATTESTATION_REPORT.
    public let report: [UInt8]
    /// Certificates that endorse the report's signing key, DER, leaf first (VCEK or VLEK, ASK or ASVK, ARK).
    public let endorsements: [[UInt8]]
    /// Reported TCB as 16 lower-case hex digits, big-endian, as THIM prints `tcbm`.
    public let endorsedTCB: String
    /// Endorsements of the utility VM: COSE_Sign1 bytes of the reference information, where the platform has it.
    public let platformEndorsements: [[UInt8]]
    /// Further statements of the platform about itself, as they came.
    public let platformStatements: [PlatformStatement]
    public let provenance: Provenance

    public init(
        report: [UInt8], endorsements: [[UInt8]], endorsedTCB: String, platformEndorsements: [[UInt8]] = [],
        platformStatements: [PlatformStatement] = [], provenance: Provenance
    ) {
        self.report = report
        self.endorsements = endorsements
        self.endorsedTCB = endorsedTCB
        self.platformEndorsements = platformEndorsements
        self.platformStatements = platformStatements
        self.provenance = provenance
    }
}

/// A signed statement of the platform about itself that the broker carries and does not need.
public struct PlatformStatement: Sendable, Equatable {
    /// As the platform calls it: `tcb-reference-info`.
    public let name: String
    /// COSE_Sign1 as it came, of at most 8 MiB. Nobody looked into an opaque one.
    public let content: [UInt8]
    /// Whether it was found to be signed by an issuer that the operator named.
    public let isVerified: Bool

    public init(name: String, content: [UInt8], isVerified: Bool) {
        self.name = name
        self.content = content
        self.isVerified = isVerified
    }
}
