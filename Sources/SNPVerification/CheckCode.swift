/// Every check that the verifier can make, by its stable code. A check that could not run for lack of input is left out of a result;
/// evidence is accepted only when every check that its kind of report needs ran and passed.
package enum CheckCode: String, Sendable, CaseIterable {
    // Form of the report. The same codes as `ReportError.Check`.
    case reportLength = "report-length"
    case reportVersion = "report-version"
    case reportReserved = "report-reserved-nonzero"
    case policyReserved = "policy-reserved-bits"
    case signatureAlgorithm = "signature-algorithm"
    case signatureReserved = "signature-reserved-nonzero"

    // The report's signature.
    case signingKey = "signing-key"
    case chipKeyMasked = "chip-key-masked"
    case signatureRange = "signature-range"
    case reportSignature = "report-signature"

    // What the report says.
    case debugAllowed = "debug-allowed"
    case migrationAllowed = "migration-allowed"
    case vmplInvalid = "vmpl-invalid"
    case tcbOrder = "tcb-order"
    case vmplMismatch = "vmpl-mismatch"
    case reportDataMismatch = "report-data-mismatch"
    case hostDataMismatch = "host-data-mismatch"
    case measurementMismatch = "measurement-mismatch"

    // The certificates by themselves.
    case certificateCount = "certificate-count"
    case leafMissing = "leaf-missing"
    case chainIncomplete = "chain-incomplete"
    case rootNotPinned = "root-not-pinned"
    case rootSignature = "root-signature"
    case intermediateSignature = "intermediate-signature"
    case leafSignature = "leaf-signature"
    case certificateAlgorithm = "certificate-algorithm"
    case certificateNames = "certificate-names"
    case certificateConstraints = "certificate-constraints"
    case certificateKey = "certificate-key"
    case certificateExpired = "certificate-expired"
    case certificateNotYetValid = "certificate-not-yet-valid"
    case extensionCritical = "certificate-extension-critical"
    case extensionDuplicate = "certificate-extension-duplicate"
    case extensionInvalid = "certificate-extension-invalid"

    // The certificates against the report.
    case leafKindMismatch = "leaf-kind-mismatch"
    case productMismatch = "product-mismatch"
    case tcbMismatch = "tcb-mismatch"
    case chipIDMasked = "chip-id-masked"
    case chipIDMismatch = "chip-id-mismatch"

    /// What it means that the check fails, in one sentence.
    package var meaning: String {
        switch self {
        case .reportLength: "The report is not exactly 1184 bytes long."
        case .reportVersion: "The report's version is none of 2, 3, 4 and 5."
        case .reportReserved: "A field that this version of the format reserves is not zero."
        case .policyReserved: "The guest policy's bit 17 is not one, or one of its bits 26 to 63 is not zero."
        case .signatureAlgorithm: "The report does not name signature algorithm 1, ECDSA P-384 with SHA-384."
        case .signatureReserved: "Bytes of the signature field that hold nothing are not zero; the signature does not cover them."
        case .signingKey: "The report is not signed with a VCEK or a VLEK."
        case .chipKeyMasked: "The firmware was told not to use the chip's key, so a VCEK cannot have signed the report."
        case .signatureRange: "The signature's r or s is not between 1 and the order of P-384 minus 1."
        case .reportSignature:
            "The signature is not one of the leaf certificate's key over these bytes: the report was altered, or another key signed it."
        case .debugAllowed: "The guest policy lets the host read the guest's memory (bit 19)."
        case .migrationAllowed: "The guest policy lets a migration agent move the guest (bit 18)."
        case .vmplInvalid: "The report was not requested by guest software at a VMPL from 0 to 3."
        case .tcbOrder: "REPORTED_TCB or COMMITTED_TCB is newer than CURRENT_TCB in a component, which no firmware reports."
        case .vmplMismatch: "The report was requested at another VMPL than expected."
        case .reportDataMismatch: "REPORT_DATA is not the expected value."
        case .hostDataMismatch: "HOST_DATA is not the expected value, usually the SHA-256 of the security policy."
        case .measurementMismatch: "The launch measurement is not the expected value."
        case .certificateCount: "There are more certificates than the verifier looks at."
        case .leafMissing: "None of the certificates is a VCEK or a VLEK."
        case .chainIncomplete: "The certificate of the leaf's issuer (ASK or ASVK) or of AMD's root (ARK) is missing."
        case .rootNotPinned: "The chain does not end in a root that is pinned for the product."
        case .rootSignature: "The root certificate is not signed by itself."
        case .intermediateSignature: "The intermediate certificate is not signed by the root."
        case .leafSignature: "The leaf certificate is not signed by the intermediate."
        case .certificateAlgorithm: "A certificate is not signed with RSASSA-PSS, SHA-384, MGF1 with SHA-384 and 48 bytes of salt."
        case .certificateNames: "The certificates' names do not form one of AMD's chains."
        case .certificateConstraints: "A CA flag, path length or key usage does not allow the certificate's place in the chain."
        case .certificateKey: "A certificate's key is not of the kind that AMD uses: RSA 4096 for authorities, P-384 for the leaf."
        case .certificateExpired: "A certificate of the chain had expired at the time of verification."
        case .certificateNotYetValid: "A certificate of the chain was not valid yet at the time of verification."
        case .extensionCritical: "A certificate has a critical extension that the verifier does not know."
        case .extensionDuplicate: "A certificate has the same extension twice."
        case .extensionInvalid: "One of AMD's extensions in the leaf certificate is missing, malformed or not allowed beside another."
        case .leafKindMismatch: "The report names another kind of signing key (VCEK or VLEK) than the leaf certificate is for."
        case .productMismatch: "The report's processor, the chain and the leaf certificate do not name the same product."
        case .tcbMismatch: "The leaf certificate is for another TCB than REPORTED_TCB."
        case .chipIDMasked: "The report hides the chip id, so it cannot be tied to the VCEK's chip."
        case .chipIDMismatch: "The leaf certificate is for another chip than the report's."
        }
    }
}
