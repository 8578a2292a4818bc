internal import OpenSSLCrypto
internal import SNPReport

/// Whether the leaf's key signed these bytes.
enum SignatureChecks {
    static let required: Set<CheckCode> = [.signingKey, .signatureRange, .reportSignature]

    static func run(_ report: AttestationReport, path: EndorsementPath?, in findings: inout Findings) {
        let keyInfo = report.keyInfo
        switch keyInfo.signingKey {
        case .vcek, .vlek: findings.pass(.signingKey, "signed with a \(keyInfo.signingKey)")
        case .none: findings.fail(.signingKey, "the report is not signed")
        case .reserved(let value): findings.fail(.signingKey, "the signing key field holds the reserved value \(value)")
        }
        // With a VLEK the chip's own key plays no part.
        if keyInfo.signingKey != .vlek {
            findings.record(
                .chipKeyMasked, complaint: keyInfo.maskChipKey ? "the firmware was told not to sign with the chip's key" : nil,
                otherwise: "the chip's key is in use")
        }
        runSignature(report, path: path, in: &findings)
    }

    /// The signature alone: what can be judged of a report of any version.
    static func runSignature(_ report: AttestationReport, path: EndorsementPath?, in findings: inout Findings) {
        findings.record(.signatureRange, complaint: rangeComplaint(report), otherwise: "r and s are between 1 and the order minus 1")
        if let path {
            findings.record(
                .reportSignature, complaint: complaint(about: report, signedBy: path),
                otherwise: "the \(path.leaf.kind.rawValue)'s key signed the report")
        }
    }

    /// Why the path's leaf did not sign the report, or `nil` when it did.
    static func complaint(about report: AttestationReport, signedBy path: EndorsementPath) -> String? {
        guard rangeComplaint(report) == nil else { return "the signature is not a possible one" }
        guard let key = try? path.leaf.certificate.publicKey, key.kind == .ec(.p384) else {
            return "the leaf certificate holds no P-384 key"
        }
        let signature = report.signature
        let verifies = report.withSignedBytes { key.verifies(signature, of: $0, algorithm: .ecdsa(.sha384)) }
        return verifies
            ? nil
            : "the signature does not verify with the \(path.leaf.kind.rawValue)'s key: the report was altered, or another key signed it"
    }

    private static func rangeComplaint(_ report: AttestationReport) -> String? {
        for (name, value) in [("r", report.signatureR), ("s", report.signatureS)] {
            if value.allSatisfy({ $0 == 0 }) { return "\(name) is zero" }
            if !value.lexicographicallyPrecedes(order) { return "\(name) is not below the order of P-384" }
        }
        return nil
    }

    /// n of P-384, big-endian (FIPS 186-5 / SP 800-186, section 3.2.1.4).
    private static let order: [UInt8] =
        [UInt8](repeating: 0xFF, count: 24) + [
            0xC7, 0x63, 0x4D, 0x81, 0xF4, 0x37, 0x2D, 0xDF, 0x58, 0x1A, 0x0D, 0xB2, 0x48, 0xB0, 0xA7, 0x7A, 0xEC, 0xEC, 0x19, 0x6A, 0xCC,
            0xC5, 0x29, 0x73,
        ]
}
