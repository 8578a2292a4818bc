/// What a verification of a UVM endorsement looks at. The raw values are stable; the order is the order of reports.
///
/// | Code | Holds when |
/// |---|---|
/// | `uvm-cose` | the bytes are one COSE_Sign1 (RFC 9052, tag 18) within bounds, with an attached payload |
/// | `uvm-protected-header` | the protected header is readable, complete, without contradictions, and names a signature algorithm that is
/// accepted |
/// | `uvm-payload` | the payload is of the form that the header announces |
/// | `uvm-certificate` | every certificate parses, its key is acceptable, the leaf may sign, and `x5t` names the leaf |
/// | `uvm-chain` | each certificate is signed by the next one, which is a certificate authority; the last one is signed by itself, or is no
/// root and the issuer names an authority of the chain |
/// | `uvm-validity` | every certificate was valid at the time of signing |
/// | `uvm-signature` | the signature over protected header and payload verifies with the leaf's key |
/// | `uvm-did` | the issuer is a did:x509 identifier and the chain resolves it |
/// | `uvm-issuer` | the policy trusts this issuer |
/// | `uvm-feed` | the policy trusts this issuer for this feed |
/// | `uvm-svn` | the security version number is at least the policy's minimum for issuer and feed |
/// | `uvm-measurement` | the endorsed launch measurement is the expected one, or none was expected |
/// | `uvm-receipt` | the ledger receipts verify; or the policy neither has ledger keys nor requires a receipt, which the detail then says |
///
/// Which part of an endorsement was altered shows in the combination. One signature covers header (with the certificates in it) and
/// payload, so `uvm-signature` fails for a change in any of them, and alone for a change that leaves everything else plausible; its detail
/// then says what the remaining witnesses tell. Beside it fail: `uvm-protected-header`, `uvm-issuer`, `uvm-feed`, `uvm-did` or
/// `uvm-validity` for a change of that part of the header; `uvm-payload`, `uvm-svn` or `uvm-measurement` for one of the payload;
/// `uvm-chain` and, for the leaf, `uvm-certificate` for one inside a certificate, because a certificate carries a signature of its own. An
/// `x5t` that does not name the leaf counts against the certificate when the leaf's own signature is broken as well, and against the header
/// when the leaf is intact.
package enum UVMCheckCode: String, Sendable, CaseIterable {
    case cose = "uvm-cose"
    case protectedHeader = "uvm-protected-header"
    case payload = "uvm-payload"
    case certificate = "uvm-certificate"
    case chain = "uvm-chain"
    case validity = "uvm-validity"
    case signature = "uvm-signature"
    case did = "uvm-did"
    case issuer = "uvm-issuer"
    case feed = "uvm-feed"
    case svn = "uvm-svn"
    case measurement = "uvm-measurement"
    case receipt = "uvm-receipt"

    /// What it means that the check fails, in one sentence.
    package var meaning: String {
        switch self {
        case .cose: "The utility VM's endorsement is not one COSE_Sign1 with an attached payload."
        case .protectedHeader: "Its protected header is unreadable, incomplete or contradicts itself, or names another algorithm."
        case .payload: "Its payload does not have the form that the header announces."
        case .certificate: "A certificate of its signer is malformed, has another kind of key, or is not the one that x5t names."
        case .chain: "A certificate of its signer is not signed by the next one, or by one that is no authority."
        case .validity: "A certificate of its signer was not valid when it was signed."
        case .signature: "The signature over header and payload is not one of the signer's key."
        case .did: "Its issuer is no did:x509 identifier, or its certificates do not resolve it."
        case .issuer: "Its issuer is not trusted to endorse utility VMs."
        case .feed: "Its issuer is not trusted for this feed."
        case .svn: "Its security version number is lower than the minimum for this issuer and feed."
        case .measurement: "It endorses another launch measurement than the report's."
        case .receipt: "A ledger receipt does not verify, or one is required and missing."
        }
    }
}

/// Why bytes are not a UVM endorsement.
package struct UVMEndorsementError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The check that an endorsement like this fails.
    package let code: UVMCheckCode
    /// The end of a sentence, without content that has not been checked for printability.
    package let detail: String

    package init(_ code: UVMCheckCode, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// `uvm-payload: the launch measurement has 47 bytes instead of 48`.
    package var description: String { "\(code.rawValue): \(detail)" }
}
