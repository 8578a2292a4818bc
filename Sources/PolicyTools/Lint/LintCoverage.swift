internal import AttestationTokens
internal import PlainText
internal import ReleasePolicy

/// What an entry as a whole admits, judged by its alternatives: sets of conditions of which each alone is enough.
struct LintCoverage {
    let purpose: PolicyLinter.Purpose?
    let entry: LintEntry

    private static let alternativeLimit = 512
    /// Most conditions in all alternatives together.
    private static let conditionLimit = 20_000
    /// Most conditions on one claim that are compared with each other.
    private static let comparisonLimit = 32

    func check(into drafts: inout PolicyLinter.Drafts) {
        guard let alternatives = entry.conditions.alternatives(limit: Self.alternativeLimit),
            alternatives.reduce(0, { $0 + $1.count }) <= Self.conditionLimit
        else {
            drafts.add(
                .tooManyAlternatives, .warning, entry.pointer,
                "too many alternatives or conditions; what they admit together was not judged", fix: "split the policy or nest less")
            return
        }
        for alternative in alternatives {
            checkStyle(alternative, into: &drafts)
            checkIdentity(alternative, into: &drafts)
            checkDebug(alternative, into: &drafts)
            checkPlatform(alternative, into: &drafts)
            checkAgreement(alternative, into: &drafts)
        }
    }

    // MARK: Which kind of token is meant

    private func intent(_ claims: [LintClaim]) -> PolicyLinter.Purpose? {
        if let purpose { return purpose }
        var pointsToMachine = false
        var pointsToContainer = false
        for claim in claims {
            let name = ClaimName(claim.name)
            let value = claim.operation == .equals ? claim.wantedText : nil
            switch name.base {
            case "x-ms-compliance-status":
                if value == ClaimCatalogue.machineCompliance { pointsToMachine = true }
                if let value, ClaimCatalogue.containerCompliance.contains(value) { pointsToContainer = true }
            case "x-ms-attestation-type" where !name.isNested: if value == "azurevm" { pointsToMachine = true }
            case "x-ms-sevsnpvm-hostdata": if !name.isNested, value != WellKnownHostData.none { pointsToContainer = true }
            default: break
            }
        }
        switch (pointsToMachine, pointsToContainer) {
        case (true, false): return .confidentialVM
        case (false, true): return .container
        default: break
        }
        if claims.contains(where: { isMachineStyle($0) }) { return .confidentialVM }
        if claims.contains(where: { isContainerStyle($0) }) { return .container }
        return nil
    }

    /// Undotted claims of the hardware: only raw SNP tokens have them there.
    private func isContainerStyle(_ claim: LintClaim) -> Bool {
        let name = ClaimName(claim.name)
        if name.base == "x-ms-attestation-type" { return !name.isNested && claim.wantedText == "sevsnpvm" }
        return !name.isNested && ClaimCatalogue.claim(name)?.home == .hardware
    }

    private func isMachineStyle(_ claim: LintClaim) -> Bool {
        let name = ClaimName(claim.name)
        if name.base == "x-ms-attestation-type" { return name.isNested || claim.wantedText == "azurevm" }
        return name.isNested || ClaimCatalogue.claim(name)?.home == .machine || name.base.hasPrefix("x-ms-azurevm-")
    }

    private func checkStyle(_ claims: [LintClaim], into drafts: inout PolicyLinter.Drafts) {
        switch intent(claims) {
        case .confidentialVM:
            let isMixed = claims.contains { isMachineStyle($0) }
            for claim in claims where isContainerStyle(claim) {
                drafts.add(
                    .containerStyle, isMixed || purpose == .confidentialVM ? .error : .warning, claim.pointer + "/claim",
                    isMixed
                        ? "\(claim.name) is at the top of raw SNP tokens only; the other conditions are about the token of a "
                            + "confidential VM, so no token meets them all"
                        : "\(claim.name) is a container-style (undotted) claim; a confidential VM's guest attestation token (azurevm) "
                            + "has it under x-ms-isolation-tee. Only the platform's own release of disk keys sees it undotted",
                    fix: "for an application in the VM write \"\(ClaimName(claim.name).otherStyle)\"")
            }
        case .container:
            for claim in claims where isMachineStyle(claim) {
                let name = ClaimName(claim.name)
                drafts.add(
                    .machineStyle, .error, claim.pointer + "/claim",
                    "\(VisibleText.escaped(claim.name)) is a claim of a confidential VM's token; the tokens of containers are flat and "
                        + "do not have it",
                    fix: name.isNested ? "write \"\(name.otherStyle)\"" : nil)
            }
        case nil: break
        }
    }

    // MARK: Who is admitted

    private func checkIdentity(_ claims: [LintClaim], into drafts: inout PolicyLinter.Drafts) {
        for claim in claims where ClaimName(claim.name).base == "x-ms-sevsnpvm-hostdata" && claim.operation == .equals {
            guard let value = claim.wantedText, let complaint = WellKnownHostData.complaint(about: value.lowercased()) else { continue }
            // A confidential VM has no host data, so its zeros are nothing to complain about.
            if value == WellKnownHostData.none, intent(claims) == .confidentialVM { continue }
            drafts.add(
                .wellKnownHostData, .error, claim.operandPointer, complaint,
                fix: "pin the host data of your own security policy; 'policy digest' prints it")
        }
        if !claims.contains(where: pinsWorkload) {
            let authority = AuthorityName(entry.authority ?? "")
            let isOwn = authority.provider != nil && !authority.isShared
            let who = intent(claims) == .container ? "container group" : "confidential VM"
            drafts.add(
                .anyTenant, isOwn ? .warning : .error, entry.pointer,
                "admits any tenant's \(who): nothing here identifies this workload"
                    + (isOwn
                        ? "; that the provider is your own does not help unless its attestation policy does, and nothing pins that" : ""),
                fix: isOwn
                    ? "pin x-ms-sevsnpvm-hostdata, the machine id, a claim that your attestation policy issues (x-ms-policy.…) or "
                        + "x-ms-policy-hash"
                    : intent(claims) == .container
                        ? "pin x-ms-sevsnpvm-hostdata"
                        : "pin x-ms-azurevm-vmid, or use a provider of your own and pin what its policy issues")
        }
        let isPinned =
            claims.contains { Self.pins($0, "x-ms-sevsnpvm-hostdata") }
            // An attestation policy of one's own may look at the host data and say so in a claim.
            || claims.contains { $0.operation == .equals && $0.name.hasPrefix("x-ms-policy.") }
        if intent(claims) == .container, !isPinned {
            drafts.add(
                .missingHostData, .warning, entry.pointer,
                "does not pin x-ms-sevsnpvm-hostdata, the hash of the container group's security policy: any containers may run in it",
                fix: "add {\"claim\": \"x-ms-sevsnpvm-hostdata\", \"equals\": \"…\"}; 'policy digest' prints the value")
        }
    }

    /// Whether the condition is met only by something that belongs to one owner.
    private func pinsWorkload(_ claim: LintClaim) -> Bool {
        guard claim.operation == .equals, let value = claim.wantedText else { return false }
        let name = ClaimName(claim.name)
        switch name.base {
        case "x-ms-sevsnpvm-hostdata": return WellKnownHostData.complaint(about: value.lowercased()) == nil
        case "x-ms-azurevm-vmid", "x-ms-sevsnpvm-reportid", "x-ms-runtime.vm-configuration.vmUniqueId", "x-ms-sgx-mrsigner",
            "x-ms-sgx-mrenclave":
            return true
        case "x-ms-policy-hash":
            // The policy of a shared provider is everybody's.
            return !AuthorityName(entry.authority ?? "").isShared
        default:
            return ["x-ms-policy.", "x-ms-inittime.", "x-ms-azurevm-attested-pcr-values.", "x-ms-tdx-"].contains { name.base.hasPrefix($0) }
        }
    }

    private static func pins(_ claim: LintClaim, _ base: String) -> Bool {
        claim.operation == .equals && ClaimName(claim.name).base == base
    }

    // MARK: What may be done to the guest

    private func checkDebug(_ claims: [LintClaim], into drafts: inout PolicyLinter.Drafts) {
        let about = claims.filter { ClaimName($0.name).base == "x-ms-sevsnpvm-is-debuggable" }
        for claim in about where Self.admitsDebug(claim) {
            drafts.add(
                .debugAdmitted, .error, claim.pointer,
                "demands a guest that its host may debug: the host reads the released key out of its memory",
                fix: "write {\"claim\": \"\(claim.name)\", \"equals\": \"false\"}")
        }
        guard about.isEmpty, intent(claims) != nil else { return }
        let name =
            intent(claims) == .confidentialVM ? ClaimName.isolationPrefix + "x-ms-sevsnpvm-is-debuggable" : "x-ms-sevsnpvm-is-debuggable"
        drafts.add(
            .missingDebug, .warning, entry.pointer,
            "does not demand that the guest cannot be debugged; the host of a debuggable guest reads its memory",
            fix: "add {\"claim\": \"\(name)\", \"equals\": \"false\"}")
    }

    private static func admitsDebug(_ claim: LintClaim) -> Bool {
        let value = claim.wantedText?.lowercased()
        return (claim.operation == .equals && value == "true") || (claim.operation == .notEquals && value == "false")
    }

    private func checkPlatform(_ claims: [LintClaim], into drafts: inout PolicyLinter.Drafts) {
        let bases = claims.map { ClaimName($0.name).base }
        if let intent = intent(claims), !bases.contains("x-ms-compliance-status"), !bases.contains(where: { $0.hasPrefix("x-ms-policy") }) {
            let isMachine = intent == .confidentialVM
            let name = (isMachine ? ClaimName.isolationPrefix : "") + "x-ms-compliance-status"
            let value = isMachine ? ClaimCatalogue.machineCompliance : "azure-compliant-uvm"
            drafts.add(
                .missingCompliance, .warning, entry.pointer,
                "does not demand a compliance status; host data says which containers, this says that the software that starts them is "
                    + "Azure's",
                fix: "add {\"claim\": \"\(name)\", \"equals\": \"\(value)\"}")
        }
        for claim in claims where Self.pins(claim, "x-ms-sevsnpvm-launchmeasurement") {
            drafts.add(
                .pinnedMeasurement, .warning, claim.pointer,
                "pins the launch measurement, which changes with every update of Azure's firmware; the key is then released to nobody",
                fix: "pin x-ms-compliance-status instead")
        }
    }

    // MARK: Conditions against each other

    private func checkAgreement(_ claims: [LintClaim], into drafts: inout PolicyLinter.Drafts) {
        var earlierByName: [String: [LintClaim]] = [:]
        for claim in claims {
            let others = earlierByName[claim.name, default: []]
            for earlier in others {
                if earlier.operation == claim.operation, earlier.wantedText == claim.wantedText, earlier.wantedText != nil {
                    drafts.add(.repeated, .note, claim.pointer, "says the same as \(earlier.pointer)", fix: "leave one of them")
                } else if Self.disagree(earlier, claim) {
                    drafts.add(
                        .contradiction, .error, claim.pointer, "no token meets this and \(earlier.pointer) together",
                        fix: "put alternatives into an \"anyOf\"")
                }
            }
            if others.count < Self.comparisonLimit { earlierByName[claim.name, default: []].append(claim) }
        }
    }

    private static func disagree(_ left: LintClaim, _ right: LintClaim) -> Bool {
        switch (left.operation, right.operation) {
        case (.equals, .equals): left.wantedText != right.wantedText
        case (.equals, .notEquals), (.notEquals, .equals): left.wantedText == right.wantedText
        case (.equals, .greater), (.equals, .greaterOrEquals), (.equals, .less), (.equals, .lessOrEquals): !holds(left, right)
        case (.greater, .equals), (.greaterOrEquals, .equals), (.less, .equals), (.lessOrEquals, .equals): !holds(right, left)
        default: false
        }
    }

    /// Whether the number that `value` demands is within `bound`; true where either is no whole number.
    private static func holds(_ value: LintClaim, _ bound: LintClaim) -> Bool {
        guard let number = value.wantedText.flatMap({ Int64($0) }), let limit = bound.wantedText.flatMap({ Int64($0) }) else { return true }
        return switch bound.operation {
        case .greater: number > limit
        case .greaterOrEquals: number >= limit
        case .less: number < limit
        case .lessOrEquals: number <= limit
        default: true
        }
    }
}
