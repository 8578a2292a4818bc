package import OpenSSLCrypto

/// A UVM endorsement ("reference info"): a publisher's statement that a launch measurement is that of one of its utility VM images.
///
/// The format is UVMEndorsements.md, "Two forms": COSE_Sign1 with a certificate chain and a did:x509 issuer in its protected header, in two
/// forms. A value of this type has been read strictly, and nothing else: no signature, certificate or identity has been checked.
/// `UVMEndorsementVerifier` does that.
package struct UVMEndorsement: Sendable {
    /// How measurement and security version number are carried.
    package enum Form: String, Sendable {
        /// Legacy: the payload is a JSON document with both.
        case json
        /// Transparent, from ContainerPlat 0.2.10: the payload is the measurement, everything else is in the header (COSE hash envelope).
        case hashEnvelope = "hash-envelope"
    }

    /// A digest of the leaf certificate (`x5t`).
    package struct Thumbprint: Sendable {
        package let algorithm: DigestAlgorithm
        package let digest: [UInt8]
    }

    /// SHA-384, as in the report's MEASUREMENT.
    package static let measurementByteCount = 48
    /// How many certificates a chain may have.
    static let chainLengths = 2...10

    package let form: Form
    package let algorithm: COSEAlgorithm
    /// did:x509 identifier of who signed.
    package let issuer: String
    /// What was signed: `ContainerPlat-AMD-UVM`.
    package let feed: String
    /// Security version number of the image. Unrelated to GUEST_SVN of a report.
    package let svn: UInt64
    /// 48 bytes, to be compared with the report's MEASUREMENT.
    package let launchMeasurement: [UInt8]
    /// Seconds since 1970. A claim of the signer, not an independent time stamp.
    package let signingTime: Int64?
    /// The chain, leaf first.
    package let certificates: [Certificate]
    package let thumbprint: Thumbprint?
    /// Ledger receipts of the transparent form, encoded. They are not covered by the endorsement's signature.
    package let receipts: [[UInt8]]

    /// Reads an encoded endorsement: the content of `reference-info-base64` after decoding.
    package init(cose bytes: [UInt8]) throws(UVMEndorsementError) {
        let parts = try UVMEndorsementParts(bytes)
        let header = try parts.header.get()
        try self.init(header, parts.payload(for: header), parts.certificates(of: header), parts.receipts.get())
    }

    init(_ header: UVMHeader, _ payload: UVMPayload, _ certificates: [Certificate], _ receipts: [[UInt8]]) throws(UVMEndorsementError) {
        form = header.form
        algorithm = header.algorithm
        issuer = header.statement.issuer
        feed = header.statement.feed
        svn = try Self.svn(header, payload)
        launchMeasurement = payload.launchMeasurement
        signingTime = header.statement.signingTime
        self.certificates = certificates
        thumbprint = header.statement.thumbprint
        self.receipts = receipts
    }

    static func svn(_ header: UVMHeader, _ payload: UVMPayload) throws(UVMEndorsementError) -> UInt64 {
        if let first = header.statement.svn, let second = payload.svn, first != second {
            throw UVMEndorsementError(.svn, "header and payload name different security version numbers")
        }
        guard let svn = header.statement.svn ?? payload.svn else { throw UVMEndorsementError(.svn, "there is no security version number") }
        return svn
    }
}

/// The parts of an endorsement, each readable or not on its own, so that a verifier can say which one is broken.
struct UVMEndorsementParts {
    let message: COSESign1
    let header: Result<UVMHeader, UVMEndorsementError>
    /// The payload, whatever it is.
    let payloadBytes: [UInt8]
    let receipts: Result<[[UInt8]], UVMEndorsementError>

    /// Fails only where the message itself cannot be read, with `uvm-cose`.
    init(_ bytes: [UInt8]) throws(UVMEndorsementError) {
        do { message = try COSESign1(bytes) } catch { throw UVMEndorsementError(.cose, error.reason) }
        guard let payload = message.payload else { throw UVMEndorsementError(.cose, "the payload is detached") }
        payloadBytes = payload
        receipts = LedgerReceipt.encodedReceipts(in: message.unprotected)
        header = Self.header(message)
    }

    func payload(for header: UVMHeader) throws(UVMEndorsementError) -> UVMPayload { try UVMPayload(payloadBytes, form: header.form) }

    func certificates(of header: UVMHeader) throws(UVMEndorsementError) -> [Certificate] { try header.statement.certificates() }

    private static func header(_ message: COSESign1) -> Result<UVMHeader, UVMEndorsementError> {
        do {
            let map = try message.protectedHeader()
            return try .success(UVMHeader(map))
        } catch let error as UVMEndorsementError { return .failure(error) } catch let error as COSEError {
            return .failure(UVMEndorsementError(.protectedHeader, error.reason))
        } catch { return .failure(UVMEndorsementError(.protectedHeader, "\(error)")) }
    }
}
