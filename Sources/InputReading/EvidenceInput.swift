internal import OpenSSLCrypto
internal import SNPReport
internal import StrictJSON

/// Attestation reports as devices, services and tools hand them out.
package enum ReportInput {
    /// A report's bytes. What clearly is a report of another length is handed on, because a verifier can say more about it.
    package static let kind = InputKind<[UInt8]>(
        name: "an attestation report",
        advice: "give the report's 1184 bytes, raw or as hexadecimal or base64 text, or the answer of /attest/raw",
        members: ["report", "evidence", "snpreport", "snp_report", "attestation_report"],
        find: { view throws(InputRefusal) in try find(view.bytes).map { [$0] } ?? [] })

    private static let byteCount = AttestationReport.byteCount
    /// MSG_REPORT_RSP: status, size and 24 reserved bytes before the report (GuestDevice.md, "The device sev-guest").
    private static let headerCount = 32

    private static func find(_ bytes: [UInt8]) throws(InputRefusal) -> [UInt8]? {
        // An Azure CVM's vTPM holds the report behind a header (ConfidentialVM.md, "HCL report").
        if bytes.starts(with: Array("HCLA".utf8)), bytes.count >= headerCount + byteCount {
            return Array(bytes[headerCount..<headerCount + byteCount])
        }
        guard Lookalike.binary(bytes) == nil, !TextForm.isText(bytes) else { return nil }
        if bytes.count == byteCount { return bytes }
        if bytes.count >= headerCount + byteCount, bytes[8..<headerCount].allSatisfy({ $0 == 0 }) {
            let rest = bytes[(headerCount + byteCount)...]
            if word(bytes, 0) == 0, word(bytes, 4) == UInt32(byteCount), rest.allSatisfy({ $0 == 0 }) {
                return Array(bytes[headerCount..<headerCount + byteCount])
            }
            if word(bytes, 0) != 0, bytes[4...].allSatisfy({ $0 == 0 }) {
                throw InputRefusal("the firmware's refusal (status \(word(bytes, 0))) and not its report", advice: kind.advice)
            }
        }
        guard isLikely(bytes) else { return nil }
        return isReportWithTable(bytes) ? Array(bytes.prefix(byteCount)) : bytes
    }

    /// A report with the certificate table right behind it, as extended requests give them.
    static func isReportWithTable(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= byteCount + CertificateTable.entryCount, isLikely(bytes) else { return false }
        return (try? CertificateTable.entries(in: Array(bytes[byteCount...]))) != nil
    }

    /// Whether version and VMPL are those of a report.
    static func isLikely(_ bytes: [UInt8]) -> Bool {
        guard (byteCount / 2...byteCount + CertificateTable.maximumBytes).contains(bytes.count) else { return false }
        let vmpl = word(bytes, ReportLayout.vmpl)
        return (1...31).contains(word(bytes, ReportLayout.version)) && (vmpl < 4 || vmpl == .max) && !TextForm.isText(bytes)
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// Certificates as AMD, hosts and services hand them out.
package enum CertificateInput {
    private static let maximumCount = 1000
    private static let certificate = Array("-----BEGIN CERTIFICATE-----".utf8)

    /// DER of each certificate, in the order of the input.
    package static let kind = InputKind<[UInt8]>(
        name: "a certificate",
        advice: "give certificates in PEM or DER, the JSON of THIM or host-amd-cert-base64, or the certificate table of configfs-tsm",
        members: ["vcekcert", "certificatechain", "vcekcertchain", "endorsements", "certs", "certificates", "auxblob"], joins: true,
        find: { view throws(InputRefusal) in try find(view.bytes) })

    private static func find(_ bytes: [UInt8]) throws(InputRefusal) -> [[UInt8]] {
        if let label = PEMLabel.first(in: bytes) {
            if PEMLabel.contains(bytes, certificate) { return try parsed(bytes) }
            throw InputRefusal("looks like \(PEMLabel.words(label)), not \(kind.name)", advice: kind.advice)
        }
        if bytes.starts(with: [0x30]), !TextForm.isText(bytes), let found = try? Certificate(der: bytes) { return [found.der] }
        let table = ReportInput.isReportWithTable(bytes) ? Array(bytes[AttestationReport.byteCount...]) : bytes
        guard let entries = try? CertificateTable.entries(in: table), entries.contains(where: { $0.kind != .other }) else { return [] }
        var found: [[UInt8]] = []
        for entry in entries where entry.kind != .other { found += try parsed(entry.content) }
        return found
    }

    private static func parsed(_ bytes: [UInt8]) throws(InputRefusal) -> [[UInt8]] {
        do { return try Certificate.parse(pemOrDER: bytes, maximumCount: maximumCount).map(\.der) } catch {
            throw InputRefusal("a certificate that cannot be read: \(error.reason)", advice: kind.advice, isBroken: true)
        }
    }
}

/// Endorsements of utility VMs ("reference info"): COSE_Sign1 (UVMEndorsements.md, "Two forms").
package enum EndorsementInput {
    package static let kind = InputKind<[UInt8]>(
        name: "an endorsement of a utility VM",
        advice: "give the content of reference-info-base64, decoded or not, or the answer of /attest/combined",
        members: ["uvm_endorsements", "uvmendorsements", "uvm", "reference_info", "referenceinfo", "endorsements"],
        find: { view throws(InputRefusal) in isMessage(view.bytes) ? [view.bytes] : [] })

    /// Whether it is a list of four, with its tag or without (RFC 9052, section 4.2), whose first element is a byte string.
    static func isMessage(_ bytes: [UInt8]) -> Bool {
        let start = bytes.first == 0xD2 ? bytes.dropFirst() : bytes[...]
        return start.first == 0x84 && start.dropFirst().first.map { $0 >> 5 == 2 } == true && start.count >= 64
    }
}

/// Signed statements of any content: COSE_Sign1.
package enum StatementInput {
    package static let kind = InputKind<[UInt8]>(
        name: "a signed statement",
        advice: "give a COSE_Sign1 message, raw or base64, such as the content of tcb-reference-info-base64 or a transparency trust list",
        members: [], find: { view throws(InputRefusal) in EndorsementInput.isMessage(view.bytes) ? [view.bytes] : [] })
}

/// What pins a ledger: its keys as it publishes them, or a signed list of ledgers' keys.
package enum LedgerKeysInput {
    /// A JWK set (JSON) or a COSE_Sign1 message.
    package static let kind = InputKind<[UInt8]>(
        name: "keys of a ledger",
        advice: "give the JWK set of the ledger's /jwks, or a transparency trust list (COSE_Sign1, raw or base64)",
        members: [],
        find: { view throws(InputRefusal) in
            if EndorsementInput.isMessage(view.bytes) { return [view.bytes] }
            return (try? JSONCursor.parse(view.bytes, limits: limits).array("keys")) == nil ? [] : [view.bytes]
        })

    private static let limits = JSONLimits(maximumBytes: 1 << 18, maximumDepth: 8)
}
