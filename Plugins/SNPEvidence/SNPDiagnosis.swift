internal import BrokerCore
internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import SNPVerification

extension SNPProvider: Diagnosing {
    /// Device, report, security context, utility VM and endorsements, as far as one leads to the next.
    func diagnosis(network: Bool, in context: RequestContext) async -> [Finding] {
        var findings: [Finding] = []
        let report: AttestationReport
        let table: [UInt8]
        do {
            let interface = try device.interface()
            findings.append(Finding(.ok, "device", "\(device.path(of: interface)), asked as \(interface.rawValue)"))
            let collected = try await collect(ReportData(sha256Of: Array("doctor".utf8)), in: context)
            (report, table) = (collected.1, collected.0.certificateTable)
        } catch {
            findings.append(Finding(error.stage == .evidence && findings.isEmpty ? "device" : "report", error))
            return findings + contextFindings(nil)
        }
        findings += reportFindings(report) + contextFindings(report)
        return findings + endorsementFindings(await endorsements.survey(report, table: table, network: network, in: context), report)
    }

    private func reportFindings(_ report: AttestationReport) -> [Finding] {
        let chip = report.chipID.allSatisfy { $0 == 0 } ? "masked" : String(Hex.encode(report.chipID).prefix(16)) + "…"
        var findings = [
            Finding(
                .ok, "report",
                "the firmware signs: version \(report.version), \(report.product?.rawValue ?? "processor not stated"), chip \(chip), TCB "
                    + "\(report.reportedTCB.hex), VMPL \(report.vmpl)"
            )
        ]
        if report.policy.allowsDebug {
            findings.append(
                Finding(
                    .warning, "report", "the host may debug this guest, so that its memory is not confidential",
                    next: "start the group without debugging; a release policy should want x-ms-sevsnpvm-is-debuggable to be false"))
        }
        return findings
    }

    private func contextFindings(_ report: AttestationReport?) -> [Finding] {
        let context = platform.context
        let parts = [
            context.policy.map { "security policy (SHA-256 \(Hex.encode(DigestAlgorithm.sha256.digest($0)).prefix(16))…)" },
            context.hostCertificates.map { "host certificates (\($0.count) bytes)" },
            context.utilityVM.map { "endorsement of the utility VM (\($0.count) bytes)" },
            context.transparentUtilityVM.map { "the same in the transparent form (\($0.count) bytes)" },
        ].compactMap(\.self)
        guard !parts.isEmpty else {
            return [
                Finding(
                    .ok, "security context",
                    "none; that is right outside confidential container groups, where UVM_SECURITY_CONTEXT_DIR names one")
            ]
        }
        var findings = [Finding(.ok, "security context", "\(context.origin): \(parts.joined(separator: ", "))")]
        for statement in platform.statements {
            if case .rejected = statement.state {
                findings.append(
                    Finding(
                        .warning, "security context", statement.words,
                        next: "'evidence verify' shows every check; the issuers are in "
                            + "evidence.snp.\(statement.name.dropLast(5))-issuers"))
            } else {
                findings.append(Finding(.ok, "security context", statement.words))
            }
        }
        guard let report else { return findings }
        for oddity in context.oddities(hostData: report.hostData) { findings.append(Finding(.warning, "security context", oddity)) }
        return findings + utilityVMFindings(report)
    }

    private func utilityVMFindings(_ report: AttestationReport) -> [Finding] {
        guard platform.check != .off else {
            return platform.endorsements.isEmpty
                ? [] : [Finding(.ok, "utility VM", "its endorsement is passed on unread, as evidence.snp.uvm-check says")]
        }
        return platform.endorsements.map { endorsement in
            guard let complaint = PlatformContext.complaint(endorsement, report) else {
                return Finding(
                    .ok, "utility VM",
                    "its endorsement endorses this launch measurement: "
                        + "\(PlatformContext.words(endorsement))")
            }
            let words = "the endorsement \(endorsement.file) does not hold: \(complaint)"
            let next =
                "'evidence verify --uvm' shows every check; where Microsoft has a new signer, evidence.snp.uvm-issuers names it, "
                + "otherwise the platform has to bring a matching one"
            return platform.check == .require
                ? Finding(.problem, "utility VM", words, cause: BrokerError.Code.evidenceUnavailable.rawValue, next: next)
                : Finding(.warning, "utility VM", "\(words); it is passed on for the verifier to judge", next: next)
        }
    }

    private func endorsementFindings(_ offers: [EndorsementOffer], _ report: AttestationReport) -> [Finding] {
        // How long the best chain serves, whatever the others do.
        let until = offers.compactMap { offer -> Int64? in
            if case .chain(let chain) = offer.answer { chain.map(\.notAfter).min() } else { nil }
        }.max().map { RFC3339.format($0) }
        var isFound = false
        var isOpen = false
        var findings: [Finding] = []
        for offer in offers {
            switch offer.answer {
            case .chain(let chain):
                let until = chain.map(\.notAfter).min().map { ", valid until \(RFC3339.format($0))" } ?? ""
                findings.append(
                    Finding(
                        .ok, "endorsements",
                        "\(offer.source): a chain that verifies the report for TCB "
                            + "\(report.reportedTCB.hex)\(until)\(isFound ? "" : "; used")"
                    ))
                isFound = true
            case .failure(let error):
                // A source that has nothing is no problem while another one has.
                let isOut = error.code == .upstreamThrottled || error.code == .upstreamUnavailable
                findings.append(
                    Finding(
                        until != nil || error.code == .evidenceUnavailable ? .ok : .warning, "endorsements",
                        "\(offer.source): \(error.message)\(isOut ? until.map { "; the chain found serves until \($0)" } ?? "" : "")"))
            case .notAsked:
                isOpen = true
                findings.append(Finding(.ok, "endorsements", "\(offer.source): not asked, it is a service"))
            }
        }
        if !isFound {
            findings.append(
                Finding(
                    isOpen ? .warning : .problem, "endorsements",
                    isOpen
                        ? "nothing on this machine verifies the report; run without --offline to ask the services"
                        : "no source has a chain for this chip and TCB \(report.reportedTCB.hex), so nobody will believe the report",
                    next: isOpen
                        ? nil
                        : "evidence.snp.endorsement-sources names them; kds (kdsintf.amd.com) knows every chip and must be "
                            + "reachable")
            )
        }
        return findings
    }
}
