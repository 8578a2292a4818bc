internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport

/// The certificates by themselves: AMD's two-step chain of RSA-PSS signatures from a pinned root to a P-384 leaf.
enum ChainChecks {
    static let required: Set<CheckCode> = [
        .certificateCount, .leafMissing, .chainIncomplete, .rootNotPinned, .rootSignature, .intermediateSignature, .leafSignature,
        .certificateAlgorithm, .certificateNames, .certificateConstraints, .certificateKey, .certificateExpired, .certificateNotYetValid,
        .extensionCritical, .extensionDuplicate, .extensionInvalid,
    ]

    static func run(_ path: EndorsementPath, policy: EvidenceVerifier.Policy, _ signatures: VerifiedSignatures, in findings: inout Findings)
    {
        let leaf = path.leaf.certificate
        findings.pass(.leafMissing, "\(path.leaf.kind.rawValue) issued by \(leaf.issuerCommonName ?? "nobody")")
        findings.record(
            .chainIncomplete, complaint: missing(path),
            otherwise: path.certificates.map { $0.certificate.subjectCommonName ?? "" }.joined(separator: ", "))
        if let root = path.root {
            if let pin = path.pinned {
                findings.pass(.rootNotPinned, "the chain ends in the pinned root \(pin.name)")
            } else if !policy.roots.contains(where: { $0.product == path.product }), path.product != nil {
                // That nobody can verify this product is said once, by `ProductChecks`.
            } else {
                findings.fail(.rootNotPinned, "\(name(root)) with SHA-256 \(Hex.encode(root.sha256)) is not a trusted root of this product")
            }
            findings.record(
                .rootSignature, complaint: signatures.isSigned(root, by: root) ? nil : "\(name(root)) is not signed by itself",
                otherwise: "\(name(root)) is signed by itself")
        }
        if let intermediate = path.intermediate, let root = path.root {
            link(intermediate, to: root, as: .intermediateSignature, signatures, in: &findings)
        }
        if let intermediate = path.intermediate { link(leaf, to: intermediate, as: .leafSignature, signatures, in: &findings) }
        every(path, .certificateAlgorithm, "RSASSA-PSS, SHA-384, salt 48", in: &findings) { _, certificate in
            certificate.signatureScheme == amdScheme ? nil : "is not signed with RSASSA-PSS, SHA-384 and salt 48"
        }
        findings.record(.certificateNames, complaint: namesComplaint(path), otherwise: "the names form AMD's chain")
        every(path, .certificateConstraints, "CA flags, path lengths and key usages fit", in: &findings) { isLeaf, certificate in
            isLeaf ? leafConstraintComplaint(certificate) : authorityConstraintComplaint(certificate, path: path)
        }
        every(path, .certificateKey, "RSA 4096 and P-384", in: &findings) { isLeaf, certificate in
            let kind = try? certificate.publicKey.kind
            if isLeaf { return kind == .ec(.p384) ? nil : "does not hold a P-384 key" }
            return kind == .rsa(bits: 4096) ? nil : "does not hold an RSA key of 4096 bits"
        }
        every(path, .certificateExpired, "none has expired", in: &findings) { _, certificate in
            policy.time > certificate.notAfter ? "expired at \(RFC3339.format(certificate.notAfter))" : nil
        }
        every(path, .certificateNotYetValid, "all are in force", in: &findings) { _, certificate in
            policy.time < certificate.notBefore ? "is valid from \(RFC3339.format(certificate.notBefore)) on" : nil
        }
        every(path, .extensionCritical, "no unknown critical extension", in: &findings) { _, certificate in
            certificate.extensions.first { $0.isCritical && !isKnown($0.oid) }.map { "has the unknown critical extension \($0.oid)" }
        }
        every(path, .extensionDuplicate, "no extension appears twice", in: &findings) { _, certificate in
            var seen: Set<String> = []
            return certificate.extensions.first { !seen.insert($0.oid).inserted }.map { "has extension \($0.oid) twice" }
        }
        findings.record(
            .extensionInvalid, complaint: extensionComplaint(path.leaf, path.product), otherwise: "AMD's extensions are well-formed")
    }

    static let amdScheme = Certificate.SignatureScheme.rsaPSS(digest: .sha384, mgf1: .sha384, saltLength: 48, trailerField: 1)

    private static func link(
        _ certificate: Certificate, to issuer: Certificate, as code: CheckCode, _ signatures: VerifiedSignatures,
        in findings: inout Findings
    ) {
        findings.record(
            code,
            complaint: signatures.isSigned(certificate, by: issuer)
                ? nil : "\(name(certificate)) is not signed by the given \(name(issuer))",
            otherwise: "\(name(certificate)) is signed by \(name(issuer))")
    }

    private static func missing(_ path: EndorsementPath) -> String? {
        guard path.intermediate != nil else {
            return "the issuer of the leaf, \(path.leaf.certificate.issuerCommonName ?? "without a name"), is missing"
        }
        return path.root == nil ? "the root, ARK-\(path.product?.rawValue ?? "?"), is missing" : nil
    }

    private static func namesComplaint(_ path: EndorsementPath) -> String? {
        let leaf = path.leaf.certificate
        guard case .intermediate(let kind, let product)? = path.issuer else {
            return "the leaf's issuer is not named SEV-… or SEV-VLEK-… and a known product"
        }
        guard kind == path.leaf.kind else { return "a \(path.leaf.kind.rawValue) is not issued by \(leaf.issuerCommonName ?? "")" }
        if let intermediate = path.intermediate {
            if !leaf.names(asIssuer: intermediate) { return "the leaf names another issuer" }
            guard let root = path.root else { return nil }
            if !intermediate.names(asIssuer: root) { return "\(name(intermediate)) names another issuer" }
            if !root.names(asIssuer: root) { return "\(name(root)) names another issuer than itself" }
            guard case .root(product)? = AMDName(root.subjectCommonName, path.products) else {
                return "the root is not named ARK-\(product.rawValue)"
            }
        }
        return nil
    }

    private static func leafConstraintComplaint(_ certificate: Certificate) -> String? {
        if certificate.isCertificateAuthority { return "is marked as a certificate authority" }
        if let usage = certificate.keyUsage, !usage.contains(.digitalSignature) { return "may not sign" }
        return nil
    }

    private static func authorityConstraintComplaint(_ certificate: Certificate, path: EndorsementPath) -> String? {
        if !certificate.isCertificateAuthority { return "is not marked as a certificate authority" }
        if let usage = certificate.keyUsage, !usage.contains(.keyCertSign) { return "may not sign certificates" }
        // One authority, the ASK or ASVK, stands between root and leaf.
        if certificate === path.root, let length = certificate.pathLengthConstraint, length < 1 {
            return "allows no authority below itself"
        }
        return nil
    }

    private static func extensionComplaint(_ leaf: CertificateBundle.Leaf, _ product: ProcessorProduct?) -> String? {
        switch leaf.extensions {
        case .failure(let complaint): return complaint.text
        case .success(let extensions):
            if let missing = product.flatMap(extensions.missingLevel) { return missing }
            switch leaf.kind {
            case .vcek where extensions.hardwareID == nil: return "the VCEK names no chip (HWID)"
            case .vcek where extensions.providerID != nil: return "the VCEK names a provider (CSP_ID), as only a VLEK does"
            case .vlek where extensions.hardwareID != nil: return "the VLEK names a chip (HWID), as only a VCEK does"
            default: return nil
            }
        }
    }

    /// Judges each certificate of the path; the first complaint decides.
    private static func every(
        _ path: EndorsementPath, _ code: CheckCode, _ detail: String, in findings: inout Findings,
        complaint: (_ isLeaf: Bool, Certificate) -> String?
    ) {
        for (index, item) in path.certificates.enumerated() {
            if let text = complaint(index == 0, item.certificate) {
                findings.fail(code, "the \(item.name) certificate \(text)")
                return
            }
        }
        findings.pass(code, detail)
    }

    /// Extensions whose meaning was taken into account, or that restrict nothing here.
    private static func isKnown(_ oid: String) -> Bool {
        oid.hasPrefix(LeafExtensions.prefix) || ["2.5.29.14", "2.5.29.15", "2.5.29.19", "2.5.29.31", "2.5.29.35"].contains(oid)
    }

    private static func name(_ certificate: Certificate) -> String { certificate.subjectCommonName ?? "(no name)" }
}
