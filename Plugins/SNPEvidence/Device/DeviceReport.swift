internal import SNPReport

/// What an interface gave.
package struct DeviceReport: Sendable {
    /// ATTESTATION_REPORT, 1184 bytes.
    package let report: [UInt8]
    /// The host's certificate table (GHCB, "SNP Extended Guest Request") as it came; empty where the host gives none.
    package let certificateTable: [UInt8]
    package let interface: GuestInterface
}

/// MSG_REPORT_RSP (AMD 56860): u32 status, u32 size, 24 reserved bytes, the report.
enum ReportResponse {
    static let headerCount = 32

    static func report(in response: [UInt8], path: String) throws(DeviceFailure) -> [UInt8] {
        func word(_ offset: Int) -> UInt32 { response[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) } }
        switch word(0) {
        case 0: break
        case 0x16:
            throw DeviceFailure(
                .permanent, "\(path): the firmware refuses the parameters (status 0x16); is the VMPL below the guest's own?")
        case 0x27: throw DeviceFailure(.permanent, "\(path): the firmware has no such key (status 0x27)")
        case let status: throw DeviceFailure(.permanent, "\(path): the firmware answers with status \(status)")
        }
        let size = Int(word(4))
        guard size == AttestationReport.byteCount else {
            throw DeviceFailure(.malformed, "\(path): the firmware's report has \(size) bytes instead of \(AttestationReport.byteCount)")
        }
        return Array(response[headerCount..<headerCount + size])
    }

    /// A report that does not carry what was asked for is somebody else's.
    static func check(_ report: [UInt8], reportData: [UInt8], vmpl: UInt32?, path: String) throws(DeviceFailure) {
        let decoded: AttestationReport
        do { decoded = try AttestationReport(report) } catch {
            throw DeviceFailure(.malformed, "\(path) gave something that is no report: \(error)")
        }
        guard decoded.reportData == reportData else {
            throw DeviceFailure(.malformed, "\(path) gave a report for other data than was asked for")
        }
        guard vmpl == nil || decoded.vmpl == vmpl else {
            throw DeviceFailure(.malformed, "\(path) gave a report of VMPL \(decoded.vmpl), asked for was \(vmpl.map(String.init) ?? "")")
        }
    }
}
