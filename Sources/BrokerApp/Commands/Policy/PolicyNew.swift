#if PolicyTools
    internal import AttestationTokens
    internal import ReleasePolicy
    internal import ArgumentParser
    internal import InputReading
    internal import OpenSSLCrypto
    internal import PolicyTools
    internal import StrictJSON

    struct PolicyNew: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new", abstract: "Write a release policy from what is known about a deployment, strict by default.",
            discussion: """
                Without other options the guest must be compliant, not debuggable and at VMPL 0; a confidential VM must have booted \
                securely. A policy that names no \
                workload is refused unless --admit-any-tenant says that it is meant. The policy goes to standard output, or with --output \
                to a file, with an \
                explanation of every condition beside it (FILE.md).
                """
        ).examples("policy new --region northeurope --template template.json")

        @Option(name: .customLong("for"), help: ArgumentHelp("container or cvm.", valueName: "kind"), transform: PolicyFile.purpose)
        var purpose: PolicyLinter.Purpose = .container

        @Option(help: ArgumentHelp("The attestation provider that issues the tokens, URL or host. May be repeated.", valueName: "url"))
        var authority: [String] = []

        @Option(
            help: ArgumentHelp("An Azure region, for its shared attestation provider: northeurope. May be repeated.", valueName: "name"))
        var region: [String] = []

        @Option(
            help: ArgumentHelp("ARM template, base64 or Rego file whose security policy is admitted. May be repeated.", valueName: "file"))
        var template: [String] = []

        @Option(
            help: ArgumentHelp("What the template is, instead of recognising it: \(SecurityPolicyFile.forms).", valueName: "form"),
            transform: SecurityPolicyFile.form) var templateForm: SecurityPolicyForm?

        @Option(help: ArgumentHelp("Host data that is admitted. May be repeated, for a rollout.", valueName: "hex")) var hostData:
            [String] = []

        @Option(help: ArgumentHelp("Machine id that is admitted, for cvm. May be repeated.", valueName: "guid")) var vmId: [String] = []

        @Option(
            help: ArgumentHelp(
                "The compliance status, or none (default: azure-compliant-uvm for containers, azure-compliant-cvm for VMs).",
                valueName: "status")) var compliance: String?

        @Option(help: ArgumentHelp("The VMPL of the report, or none (default: 0).", valueName: "number")) var vmpl: String = "0"

        @Option(
            help: ArgumentHelp(
                "Lower bound of a security version, for example microcode=115; names are guest, bootloader, tee, snp, microcode. May be "
                    + "repeated.",
                valueName: "name=number")) var minimum: [String] = []

        @Option(help: ArgumentHelp("The hash of the attestation policy of a provider of your own (x-ms-policy-hash).", valueName: "hash"))
        var policyHash: String?

        @Flag(help: "Leave out the condition that the host cannot debug the guest.") var allowDebug = false
        @Flag(help: "Leave out the condition that a VM booted securely.") var withoutSecureBoot = false
        @Flag(help: "Write the policy although guests of every tenant satisfy it.") var admitAnyTenant = false

        @Option(name: .shortAndLong, help: ArgumentHelp("Where to write the policy.", valueName: "file")) var output: String?

        @Option(help: ArgumentHelp("Where to write the explanation of each condition (default: beside --output).", valueName: "file"))
        var comments: String?

        @Flag(help: "Print the release_policy member of a key instead, with the policy as base64url.") var encoded = false
        @Flag(help: "Print JSON with the policy, the explanation and the findings of the linter.") var json = false

        func run() throws {
            let draft = try draft()
            if let problem = draft.problems.first {
                throw CommandFailure(.usage, problem, nextStep: "'policy new --help' lists what can be said")
            }
            let findings = PolicyLinter(purpose: purpose).check(try PolicyDocument(draft.text))
            for finding in findings where finding.severity == .error && !(admitAnyTenant && finding.rule == .anyTenant) {
                let isTenant = finding.rule == .anyTenant
                throw CommandFailure(
                    .usage, "the policy \(isTenant ? "" : "would be faulty: ")\(finding.message)",
                    nextStep: isTenant
                        ? (purpose == .container ? "name the workload with --template or --host-data" : "name the machine with --vm-id")
                            + ", or say --admit-any-tenant" : finding.fix)
            }
            for finding in findings where finding.severity == .warning {
                Console.note("warning: [\(finding.rule.rawValue)] \(finding.message)")
            }
            try write(draft, findings)
        }

        private func draft() throws -> PolicyDraft {
            var authorities: [String] = []
            for text in authority + region {
                guard let found = AuthorityName.origin(text) else {
                    throw CommandFailure(
                        .usage, "'\(text)' is neither an attestation provider nor a region that has a shared one",
                        nextStep: "write https://NAME.REGION.attest.azure.net, or a region such as northeurope")
                }
                if !authorities.contains(found) { authorities.append(found) }
            }
            var draft = PolicyDraft(purpose: purpose, authorities: authorities)
            draft.hostData = try admittedHostData()
            draft.machineIDs = vmId.map { $0.uppercased() }
            if let compliance { draft.compliance = compliance == "none" ? nil : compliance }
            draft.admitsDebug = allowDebug
            draft.vmpl = try vmpl == "none" ? nil : number(vmpl, of: "--vmpl", in: 0...3)
            draft.minimumVersions = try minimum.map(Self.minimumVersion)
            if withoutSecureBoot { draft.demandsSecureBoot = false }
            draft.policyHash = policyHash
            return draft
        }

        private func admittedHostData() throws -> [String] {
            var result: [String] = []
            for path in template {
                for digest in try SecurityPolicyFile.read(path, as: templateForm).map(SecurityPolicyDigest.digest) {
                    if !result.contains(digest.hostData) { result.append(digest.hostData) }
                    for note in digest.notes { Console.note("note: \(path): \(note)") }
                }
            }
            for text in hostData.map({ HexText.decode($0).map { Hex.encode($0) } ?? $0.lowercased() }) where !result.contains(text) {
                result.append(text)
            }
            return result
        }

        private func number(_ text: String, of option: String, in range: ClosedRange<Int64>) throws -> Int64 {
            guard let number = Int64(text), range.contains(number) else {
                throw CommandFailure(.usage, "\(option) wants a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }

        private static func minimumVersion(_ text: String) throws -> (PolicyDraft.SecurityVersion, Int64) {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let name = PolicyDraft.SecurityVersion(rawValue: parts[0]), let number = Int64(parts[1]),
                (0...Int64(UInt32.max)).contains(number)
            else {
                throw CommandFailure(
                    .usage, "--minimum wants NAME=NUMBER, for example microcode=115",
                    nextStep: "names are \(PolicyDraft.SecurityVersion.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return (name, number)
        }

        private func write(_ draft: PolicyDraft, _ findings: [LintFinding]) throws {
            let name = output.map { String($0.split(separator: "/").last ?? "policy.json") } ?? "policy.json"
            let explanation = draft.comments(for: name)
            let text = encoded ? releasePolicy(draft).serialized(pretty: true) + [UInt8(ascii: "\n")] : draft.text
            if let output { try OutputFile.write(text, to: output) }
            if json {
                Console.json([
                    "policy": draft.policy, "release_policy": releasePolicy(draft), "comments": .string(explanation),
                    "findings": .array(findings.map(\.json)),
                ])
            } else if output == nil {
                Console.writeBytes(text)
            }
            if let path = comments ?? output.map({ "\($0).md" }) {
                try OutputFile.write(Array(explanation.utf8), to: path)
                Console.note("wrote \(output.map { "\($0) and " } ?? "")\(path)")
            }
        }

        /// `release_policy` of a key, as Key Vault and Managed HSM take it (ReleasePolicies.md, "Grammar").
        private func releasePolicy(_ draft: PolicyDraft) -> JSONValue {
            [
                "contentType": "application/json; charset=utf-8", "data": .string(Base64.encodeURL(draft.policy.serialized())),
                "immutable": false,
            ]
        }
    }
#endif
