/// Why bytes are not an attestation report that this decoder accepts.
package struct ReportError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The check that failed. The raw value is the stable code that the verifier and the command line print.
    package enum Check: String, Sendable, CaseIterable {
        /// Not exactly 1184 bytes.
        case length = "report-length"
        /// Version 0 or 1, or one after those that are known.
        case version = "report-version"
        /// A range that the version reserves is not zero.
        case reserved = "report-reserved-nonzero"
        /// POLICY bit 17 is not one, or a bit above 25 is not zero.
        case policyReserved = "policy-reserved-bits"
        /// SIGNATURE_ALGO is not 1, ECDSA P-384 with SHA-384.
        case signatureAlgorithm = "signature-algorithm"
        /// A byte of the signature field outside the 48 bytes of r and of s is not zero.
        case signatureReserved = "signature-reserved-nonzero"
    }

    package let check: Check
    /// One line in plain words.
    package let detail: String

    package init(_ check: Check, _ detail: String) {
        self.check = check
        self.detail = detail
    }

    /// Kebab-case check code, for example `report-length`.
    package var code: String { check.rawValue }

    package var description: String { "\(code): \(detail)" }
}
