internal import OpenSSLCrypto
internal import SNPReport

/// Whether report and leaf certificate speak of the same kind of key, product, TCB and chip.
enum BindingChecks {
    static func required(_ report: AttestationReport, policy: EvidenceVerifier.Policy) -> Set<CheckCode> {
        let codes: Set<CheckCode> = [.leafKindMismatch, .productMismatch, .tcbMismatch]
        guard report.keyInfo.signingKey != .vlek else { return codes }
        return codes.union(
            report.isChipIDMasked && policy.allowMaskedChipID
                ? [.chipKeyMasked, .chipIDMasked] : [.chipKeyMasked, .chipIDMasked, .chipIDMismatch])
    }

    static func run(_ report: AttestationReport, path: EndorsementPath, policy: EvidenceVerifier.Policy, in findings: inout Findings) {
        if let kind = signingKind(report) {
            findings.record(
                .leafKindMismatch,
                complaint: kind == path.leaf.kind
                    ? nil : "the report is signed with a \(kind.rawValue), the certificate is a \(path.leaf.kind.rawValue)",
                otherwise: "report and certificate speak of a \(kind.rawValue)")
        }
        let extensions = try? path.leaf.extensions.get()
        findings.record(
            .productMismatch, complaint: productComplaint(report, path: path, extensions: extensions, policy.products),
            otherwise: "report and certificates are of a \(path.product?.rawValue ?? "") processor")
        guard let extensions, let product = path.product, extensions.missingLevel(of: product) == nil else { return }
        tcb(report, extensions: extensions, product: product, in: &findings)
        if path.leaf.kind == .vcek, let chip = extensions.hardwareID {
            self.chip(report, hardwareID: chip, product: product, policy: policy, in: &findings)
        }
    }

    /// The kind of key that the report names, `nil` where it names none of the two.
    static func signingKind(_ report: AttestationReport) -> Endorsement.Kind? {
        switch report.keyInfo.signingKey {
        case .vcek: .vcek
        case .vlek: .vlek
        case .none, .reserved: nil
        }
    }

    private static func productComplaint(
        _ report: AttestationReport, path: EndorsementPath, extensions: LeafExtensions?, _ products: ProductTable
    ) -> String? {
        guard let product = path.product else { return "the leaf's issuer names no known product" }
        if let processor = report.cpuid {
            guard let reported = products.product(of: processor) else {
                return "the report's processor (family, model, stepping \(processor)) belongs to no known product"
            }
            if reported != product {
                return "the report comes from a \(reported.rawValue) processor, the certificates are for \(product.rawValue)"
            }
        }
        // A name that is not known here says nothing; the issuer has already named the product.
        if let name = extensions?.productName, let named = products.entries.first(where: { $0.product.isNamed(name) })?.product,
            named != product
        {
            return "the leaf certificate is for \(name), its issuer for \(product.rawValue)"
        }
        return nil
    }

    private static func tcb(_ report: AttestationReport, extensions: LeafExtensions, product: ProcessorProduct, in findings: inout Findings)
    {
        let reported = report.reportedTCB
        let words = reported.components(for: product)
        guard let endorsed = extensions.tcb(for: product) else {
            findings.fail(.tcbMismatch, "the certificate's patch levels are not those of a \(product.rawValue) processor")
            return
        }
        findings.record(
            .tcbMismatch,
            complaint: endorsed == reported
                ? nil
                : "the certificate is for \(endorsed.components(for: product)) (\(endorsed.hex)), REPORTED_TCB is \(words) "
                    + "(\(reported.hex))",
            otherwise: "report and certificate say \(words)")
    }

    private static func chip(
        _ report: AttestationReport, hardwareID: [UInt8], product: ProcessorProduct, policy: EvidenceVerifier.Policy,
        in findings: inout Findings
    ) {
        if report.isChipIDMasked {
            if policy.allowMaskedChipID { findings.leaveOut(.chipIDMismatch, "the report hides the chip, so it is tied to no chip") }
            findings.record(
                .chipIDMasked, complaint: policy.allowMaskedChipID ? nil : "CHIP_ID is all zero, so the chip is not known",
                otherwise: "CHIP_ID is hidden, and accepted on request")
            return
        }
        findings.pass(.chipIDMasked, "CHIP_ID is shown")
        let complaint: String? =
            hardwareID.count != product.chipIDByteCount
            ? "the certificate's chip id has \(hardwareID.count) bytes instead of \(product.chipIDByteCount)"
            : report.hasChipID(hardwareID)
                ? nil : "the certificate is for chip \(short(hardwareID)), the report from \(short(report.chipID))"
        findings.record(.chipIDMismatch, complaint: complaint, otherwise: "report and certificate are of chip \(short(hardwareID))")
    }

    private static func short(_ chip: [UInt8]) -> String { Hex.encode(chip.prefix(8)) + (chip.count > 8 ? "…" : "") }
}

extension AttestationReport {
    /// Whether CHIP_ID is `hardwareID`, followed by zeros where that is shorter (from Turin on: 8 bytes).
    func hasChipID(_ hardwareID: [UInt8]) -> Bool {
        let chip = chipID
        return hardwareID.count <= chip.count && chip.starts(with: hardwareID) && chip.dropFirst(hardwareID.count).allSatisfy { $0 == 0 }
    }
}
