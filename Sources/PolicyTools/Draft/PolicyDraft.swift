internal import AttestationTokens
internal import PlainText
internal import ReleasePolicy
package import StrictJSON

/// What somebody knows about a deployment, and the release policy that follows from it: strict where nothing else is said.
package struct PolicyDraft: Sendable {
    /// The security version claims that can be bounded below.
    package enum SecurityVersion: String, Sendable, CaseIterable {
        case guest, bootloader, tee, snp, microcode

        var claim: String {
            switch self {
            case .guest: "x-ms-sevsnpvm-guestsvn"
            case .bootloader: "x-ms-sevsnpvm-bootloader-svn"
            case .tee: "x-ms-sevsnpvm-tee-svn"
            case .snp: "x-ms-sevsnpvm-snpfw-svn"
            case .microcode: "x-ms-sevsnpvm-microcode-svn"
            }
        }
    }

    package var purpose: PolicyLinter.Purpose
    /// Issuers, `https://…`; one entry for each.
    package var authorities: [String]
    /// Host data that is admitted, 64 lower-case hex digits each; several for a staged rollout.
    package var hostData: [String] = []
    /// Machine ids, upper case; for confidential VMs.
    package var machineIDs: [String] = []
    /// `nil` leaves the clause out.
    package var compliance: String?
    /// Whether the clause against debugging is left out.
    package var admitsDebug = false
    /// `nil` leaves the clause out.
    package var vmpl: Int64?
    package var minimumVersions: [(SecurityVersion, Int64)] = []
    /// Whether a confidential VM must have booted securely.
    package var demandsSecureBoot: Bool
    /// `x-ms-policy-hash` of a provider of one's own.
    package var policyHash: String?

    /// Everything strict: compliant, VMPL 0, not debuggable, securely booted.
    package init(purpose: PolicyLinter.Purpose, authorities: [String]) {
        self.purpose = purpose
        self.authorities = authorities
        compliance = purpose == .container ? "azure-compliant-uvm" : ClaimCatalogue.machineCompliance
        vmpl = 0
        demandsSecureBoot = purpose == .confidentialVM
    }

    /// One condition, and why it is there.
    private struct Clause {
        let condition: JSONValue
        let title: String
        let comment: String
    }

    private func named(_ claim: String) -> String { purpose == .confidentialVM ? ClaimName.isolationPrefix + claim : claim }

    private func equals(_ claim: String, _ value: String) -> JSONValue { ["claim": .string(claim), "equals": .string(value)] }

    /// One value as `equals`, several as `anyOf`.
    private func oneOf(_ claim: String, _ values: [String]) -> JSONValue {
        values.count == 1 ? equals(claim, values[0]) : ["anyOf": .array(values.map { equals(claim, $0) })]
    }

    private var clauses: [Clause] {
        var result: [Clause] = []
        if purpose == .confidentialVM {
            result.append(
                Clause(
                    condition: equals("x-ms-attestation-type", "azurevm"), title: "x-ms-attestation-type",
                    comment: "The token comes from a confidential VM's guest attestation, through its vTPM."))
        }
        result.append(
            Clause(
                condition: equals(named("x-ms-attestation-type"), "sevsnpvm"), title: named("x-ms-attestation-type"),
                comment: "The hardware is AMD SEV-SNP."))
        if let compliance {
            result.append(
                Clause(
                    condition: equals(named("x-ms-compliance-status"), compliance), title: named("x-ms-compliance-status"),
                    comment:
                        "Azure knows the firmware and the utility VM. Pinned instead of the launch measurement, which changes with every "
                        + "platform update."
                ))
        }
        if !admitsDebug {
            result.append(
                Clause(
                    condition: equals(named("x-ms-sevsnpvm-is-debuggable"), "false"), title: named("x-ms-sevsnpvm-is-debuggable"),
                    comment: "The host cannot read the guest's memory. Never relax this: it would read the key."))
        }
        if let vmpl {
            result.append(
                Clause(
                    condition: equals(named("x-ms-sevsnpvm-vmpl"), String(vmpl)), title: named("x-ms-sevsnpvm-vmpl"),
                    comment: "The report was asked for by software at this privilege level; 0 is the highest."))
        }
        for (version, minimum) in minimumVersions {
            result.append(
                Clause(
                    condition: ["claim": .string(named(version.claim)), "greaterOrEquals": .integer(minimum)], title: named(version.claim),
                    comment:
                        "The platform's \(version.rawValue) is at least that new. Raise it when a security bulletin says so, after the "
                        + "platforms are updated."
                ))
        }
        if demandsSecureBoot, purpose == .confidentialVM {
            result.append(Clause(condition: equals("secureboot", "true"), title: "secureboot", comment: "The VM booted only signed code."))
        }
        if let policyHash {
            result.append(
                Clause(
                    condition: equals("x-ms-policy-hash", policyHash), title: "x-ms-policy-hash",
                    comment: "The authority still has the attestation policy that this release policy relies on."))
        }
        if !hostData.isEmpty {
            let several = hostData.count > 1 ? " Several values admit the old and the new deployment during a rollout." : ""
            result.append(
                Clause(
                    condition: oneOf(named("x-ms-sevsnpvm-hostdata"), hostData), title: named("x-ms-sevsnpvm-hostdata"),
                    comment:
                        "SHA-256 of the decoded security policy (ccePolicy): which containers run, and how. Any change of the policy "
                        + "changes it."
                        + several))
        }
        if !machineIDs.isEmpty {
            result.append(
                Clause(
                    condition: oneOf("x-ms-azurevm-vmid", machineIDs), title: "x-ms-azurevm-vmid",
                    comment: "Which virtual machine. Upper case on AMD, and the comparison is case-sensitive."))
        }
        return result
    }

    /// The policy.
    package var policy: JSONValue {
        let conditions = JSONValue.array(clauses.map(\.condition))
        return ["version": "1.0.0", "anyOf": .array(authorities.map { ["authority": .string($0), "allOf": conditions] })]
    }

    /// The policy as a file: two spaces of indentation, a line feed at the end.
    package var text: [UInt8] { policy.serialized(pretty: true) + [UInt8(ascii: "\n")] }

    /// What each clause is for, in Markdown: a policy itself can carry no comment. `name` is the policy file's.
    package func comments(for name: String) -> String {
        var lines = [
            "# \(name)", "",
            "A key with this policy is released to whoever brings a token of one of the authorities below that meets every condition.", "",
            "## Authorities", "",
        ]
        for authority in authorities {
            let note = AuthorityName(authority).isShared ? " (shared: Microsoft runs it for everybody)" : ""
            lines.append("- `\(authority)`\(note)")
        }
        lines += ["", "## Conditions", ""]
        for clause in clauses { lines.append("- `\(clause.title)`: \(clause.comment)") }
        lines += [
            "", "## Changing it", "", "- Check it: `attestation-broker policy lint \(name)`.",
            "- Try it: `attestation-broker policy explain --policy \(name) --token TOKEN`.",
            "- Before a new deployment, add its host data next to the old one, and remove the old one afterwards.",
            "- Make it immutable only when nothing is left to mend: nothing can be changed after that.", "",
        ]
        return lines.joined(separator: "\n")
    }

    /// What is wrong with the facts, before a policy is made of them; empty when nothing is.
    package var problems: [String] {
        var problems: [String] = []
        if authorities.isEmpty { problems.append("no authority: name the attestation provider") }
        for value in hostData where !value.utf8.consists(of: .lowercaseHexDigits, count: 64...64) {
            problems.append("host data \(VisibleText.quoted(value)) is not 64 lower-case hex digits")
        }
        if purpose == .confidentialVM, !hostData.isEmpty { problems.append("a confidential VM has no host data; name its machine id") }
        if purpose == .container, !machineIDs.isEmpty {
            problems.append("the token of a container group names no virtual machine; name its host data")
        }
        return problems
    }
}
