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
    public let provenance: Provenance

    public init(report: [UInt8], endorsements: [[UInt8]], endorsedTCB: String, platformEndorsements: [[UInt8]] = [], provenance: Provenance)
    {
        self.report = report
        self.endorsements = endorsements
        self.endorsedTCB = endorsedTCB
        self.platformEndorsements = platformEndorsements
        self.provenance = provenance
    }
}
