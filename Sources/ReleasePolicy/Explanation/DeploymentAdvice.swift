internal import StrictJSON

/// What to do about a deployment, claim by claim.
enum DeploymentAdvice {
    /// The claim says that the host can read or move the guest's memory. No policy that guards a key may be bent to admit it.
    static func mustNotBeAdmitted(_ claim: ClaimOutcome) -> Bool {
        let base = ClaimName(claim.claim).base
        guard ["x-ms-sevsnpvm-is-debuggable", "x-ms-sevsnpvm-migration-allowed"].contains(base) else { return false }
        return claim.actual == .boolean(true) || claim.actual == .string("true")
    }

    static func words(for claim: ClaimOutcome) -> String? {
        let name = ClaimName(claim.claim)
        if claim.reason == .missingClaim, name.base.hasPrefix("x-ms-"), let words = absence(of: name) { return words }
        switch (claim.reason, name.base) {
        case (.differsOnlyByCase, _), (.differsOnlyByWhiteSpace, _), (.sameNumberOtherText, _):
            // The token is right; the policy is misspelled.
            return nil
        case (_, "x-ms-sevsnpvm-hostdata"):
            return "deploy the security policy with this SHA-256 ('policy digest' prints it; any byte, line ends included, changes it)"
        case (_, "x-ms-sevsnpvm-is-debuggable"):
            return "start the guest without the debug bit in its SNP policy: its host can read its memory"
        case (_, "x-ms-sevsnpvm-migration-allowed"): return "start the guest without the migration bit in its SNP policy"
        case (_, "x-ms-sevsnpvm-vmpl"): return "ask for the report at that VMPL"
        case (_, "x-ms-compliance-status"):
            return
                "run on the platform that the policy means: azure-compliant-uvm is a container group, azure-compliant-cvm a confidential VM"
        case (_, "x-ms-attestation-type"):
            return "attest by the other route: a raw SNP report gives sevsnpvm, the vTPM of a confidential VM gives azurevm"
        case (_, "x-ms-sevsnpvm-launchmeasurement"):
            return "run the utility VM or firmware of that measurement; each platform update changes it"
        case (_, "x-ms-policy-hash"): return "set the attestation policy of that hash at the authority; its policy was changed"
        case (_, "x-ms-azurevm-vmid"): return "use the virtual machine of that id"
        case (_, "secureboot"): return "start the virtual machine with secure boot"
        case (_, let base) where base.hasPrefix("x-ms-sevsnpvm-") && base.hasSuffix("svn"):
            return "run on a platform with that security version"
        default: return nil
        }
    }

    private static func absence(of name: ClaimName) -> String? {
        if name.isNested { return "attest through the vTPM of a confidential VM: only its tokens (azurevm) have x-ms-isolation-tee" }
        if name.base == "x-ms-compliance-status" {
            return
                "send the platform's endorsements (reference-info) with the request; without them, or with unknown firmware, the token "
                + "has no compliance status"
        }
        if name.base.hasPrefix("x-ms-azurevm-") {
            return "attest through the vTPM of a virtual machine: a raw SNP token says nothing about one"
        }
        if name.base == "x-ms-runtime" || name.base.hasPrefix("x-ms-runtime.") { return "send that as runtime data, as a JSON object" }
        if name.base == "x-ms-policy" || name.base.hasPrefix("x-ms-policy.") {
            return "let an issuance rule of the authority's attestation policy issue that claim"
        }
        if name.base.hasPrefix("x-ms-sevsnpvm-") {
            return "attest with a raw SNP report: the token of another route has no such claim at its top"
        }
        return nil
    }
}
