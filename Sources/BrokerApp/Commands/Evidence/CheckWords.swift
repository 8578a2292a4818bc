internal import PlainText
internal import SNPVerification
internal import UVMEndorsements

/// What holds where a check is passed, so that "ok" reads forwards: most codes name what is wrong where it is not.
enum CheckWords {
    static func holding(_ check: Check) -> String? {
        CheckCode(rawValue: check.code).map { holding($0, check.detail) } ?? UVMCheckCode(rawValue: check.code).map(holding)
            ?? StatementCheckCodes.holding(check.code)
            ?? BundleCode(rawValue: check.code).map { holding($0, check.detail) }
    }

    private static func holding(_ code: CheckCode, _ detail: String) -> String {
        switch code {
        case .reportLength: "the report has its length"
        case .reportVersion: "the report's version is known"
        case .reportReserved: "the report's reserved fields are empty"
        case .policyReserved: "the guest policy is well-formed"
        case .signatureAlgorithm: "the report's signature algorithm is AMD's"
        case .signatureReserved: "the signature field holds nothing else"
        case .signingKey: "the report is signed by AMD firmware's key"
        case .chipKeyMasked: "the firmware may use the chip's key"
        case .signatureRange: "the signature is a possible one"
        case .reportSignature: "the report's signature is the leaf's"
        // Whether it is so or was accepted on request is for the detail to say.
        case .debugAllowed, .migrationAllowed, .chipIDMasked, .firmwareProvisional: detail
        case .vmplHost: "the host did not ask for the report"
        case .vmplInvalid: "guest software asked for the report"
        case .tcbOrder: "no TCB is newer than the current one"
        case .vmplMismatch: "the VMPL is the expected one"
        case .reportDataMismatch: "the report data is the expected one"
        case .hostDataMismatch: "the host data is the expected one"
        case .measurementMismatch: "the measurement is the expected one"
        case .idKeyDigestMismatch: "the ID key is the expected one"
        case .authorKeyDigestMismatch: "the author key is the expected one"
        case .tcbBelowMinimum: "firmware and microcode are recent enough"
        case .floorUnknown: "the floors speak of this processor"
        case .mitigationMissing: "the required mitigations are active"
        case .platformBitsMissing: "the platform is set up as required"
        case .productUnsupported: "the product has a root"
        case .productDenied: "the product is not denied"
        case .crlMissing: "there is a revocation list"
        case .crlMalformed: "the revocation list is well-formed"
        case .crlForeign: "the revocation list is the root's"
        case .crlFuture: "the revocation list is not from the future"
        case .crlWithoutNextUpdate: "the revocation list says until when it holds"
        case .crlStale: detail
        case .certificateRevoked: "the intermediate is not revoked"
        case .certificateCount: "the certificates are not too many"
        case .leafMissing: "there is a leaf certificate"
        case .chainIncomplete: "the chain is complete"
        case .rootNotPinned: "the root is a pinned one"
        case .rootSignature: "the root's signature is its own"
        case .intermediateSignature: "the intermediate's signature is the root's"
        case .leafSignature: "the leaf's signature is the intermediate's"
        case .certificateAlgorithm: "the certificates' signatures are of AMD's kind"
        case .certificateNames: "the certificates' names are AMD's"
        case .certificateConstraints: "each certificate may stand in its place"
        case .certificateKey: "the certificates' keys are of AMD's kinds"
        case .certificateExpired: "no certificate has expired"
        case .certificateNotYetValid: "every certificate is in force"
        case .extensionCritical: "every critical extension is known"
        case .extensionDuplicate: "no certificate has an extension twice"
        case .extensionInvalid: "AMD's extensions are well-formed"
        case .leafKindMismatch: "the leaf is of the kind that signed"
        case .productMismatch: "report and certificates name one product"
        case .tcbMismatch: "the leaf is for the report's TCB"
        case .chipIDMismatch: "the leaf is for the report's chip"
        }
    }

    private static func holding(_ code: BundleCode, _ detail: String) -> String {
        switch code {
        case .digest: "no member of the bundle was changed"
        case .form: "the bundle has its one form"
        case .time: "the bundle's time is bound by the report"
        case .token: "the token is about this report"
        }
    }

    private static func holding(_ code: UVMCheckCode) -> String {
        switch code {
        case .cose: "the endorsement is one COSE_Sign1"
        case .protectedHeader: "the endorsement's header is complete"
        case .payload: "the endorsement's payload is well-formed"
        case .certificate: "its signer's certificates are acceptable"
        case .chain: "its signer's certificates form a chain"
        case .validity: "they were valid when it was signed"
        case .signature: "the endorsement's signature is its signer's"
        case .did: "the certificates are those of its issuer"
        case .issuer: "its issuer is trusted"
        case .feed: "its issuer is trusted for its feed"
        case .svn: "its version is not below the minimum"
        case .measurement: "it endorses the report's measurement"
        case .receipt: "its ledger receipts are in order"
        }
    }
}
