internal import OpenSSLCrypto
internal import SNPReport

/// The certificates that a caller gave, sorted by the place in AMD's chain that their names claim. Nothing here is trusted yet.
struct CertificateBundle {
    struct Leaf {
        let certificate: Certificate
        let kind: Endorsement.Kind
        /// `nil` with a reason where AMD's extensions cannot be decoded.
        let extensions: Result<LeafExtensions, LeafExtensions.Complaint>
    }

    private var leaves: [Leaf] = []
    private var intermediates: [Certificate] = []
    private var roots: [Certificate] = []
    /// Number of different certificates.
    let count: Int
    /// How many of them bear none of AMD's names.
    private(set) var strangers = 0

    private let products: ProductTable

    /// `nil` when there are too many.
    init?(_ certificates: [Certificate], _ products: ProductTable) {
        self.products = products
        guard certificates.count <= EvidenceVerifier.maximumCertificates else { return nil }
        var seen: Set<[UInt8]> = []
        for certificate in certificates where seen.insert(certificate.sha256).inserted {
            switch AMDName(certificate.subjectCommonName, products) {
            case .leaf(let kind):
                let extensions: Result<LeafExtensions, LeafExtensions.Complaint>
                do throws(LeafExtensions.Complaint) { extensions = .success(try LeafExtensions(certificate)) } catch {
                    extensions = .failure(error)
                }
                leaves.append(Leaf(certificate: certificate, kind: kind, extensions: extensions))
            case .intermediate: intermediates.append(certificate)
            case .root: roots.append(certificate)
            case nil: strangers += 1
            }
        }
        count = seen.count
        guard max(leaves.count, intermediates.count, roots.count) <= EvidenceVerifier.maximumCandidates else { return nil }
    }

    /// The path that fits the report best: first by the report's signature, then by the links of the chain, then by what the leaf says.
    /// Choosing decides only what is judged; every check is made again on the choice. `nil` without any leaf.
    func bestPath(for report: AttestationReport?, policy: EvidenceVerifier.Policy, _ signatures: VerifiedSignatures) -> EndorsementPath? {
        let upper = intermediates.map { intermediate in
            best(roots.filter { intermediate.names(asIssuer: $0) }) { root in
                [policy.roots.contains { $0.matches(root) }, signatures.isSigned(intermediate, by: root), root.isValid(at: policy.time)]
            }
        }
        let paths = leaves.map { leaf in
            let fitting = intermediates.indices.filter { leaf.certificate.names(asIssuer: intermediates[$0]) }
            let index = best(fitting) { index in
                let root = upper[index]
                return [
                    signatures.isSigned(leaf.certificate, by: intermediates[index]),
                    root.map { root in policy.roots.contains { $0.matches(root) } } ?? false,
                    root.map { signatures.isSigned(intermediates[index], by: $0) } ?? false, intermediates[index].isValid(at: policy.time),
                ]
            }
            return EndorsementPath(
                leaf: leaf, intermediate: index.map { intermediates[$0] }, root: index.flatMap { upper[$0] }, pins: policy.roots, products)
        }
        return best(paths) { path in
            let product = path.product
            let extensions = try? path.leaf.extensions.get()
            return [
                report.map { SignatureChecks.complaint(about: $0, signedBy: path) == nil } ?? false, path.pinned != nil,
                path.intermediate.map { signatures.isSigned(path.leaf.certificate, by: $0) } ?? false,
                report.map { BindingChecks.signingKind($0) == path.leaf.kind } ?? false,
                report.map { extensions?.hardwareID.map($0.hasChipID) ?? false } ?? false,
                report.map { report in product.flatMap { extensions?.tcb(for: $0) } == report.reportedTCB } ?? false,
                path.certificates.allSatisfy { $0.certificate.isValid(at: policy.time) },
            ]
        }
    }

    /// The first of the candidates that satisfy most, where an earlier criterion outweighs all later ones.
    private func best<Candidate>(_ candidates: [Candidate], by criteria: (Candidate) -> [Bool]) -> Candidate? {
        guard candidates.count > 1 else { return candidates.first }
        var best: (candidate: Candidate, score: Int)?
        for candidate in candidates {
            let score = criteria(candidate).reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
            if score > best?.score ?? -1 { best = (candidate, score) }
        }
        return best?.candidate
    }
}

/// The place in AMD's hierarchy that a common name claims (AMD 57230).
enum AMDName {
    case leaf(Endorsement.Kind)
    case intermediate(Endorsement.Kind, ProcessorProduct)
    case root(ProcessorProduct)

    init?(_ commonName: String?, _ products: ProductTable) {
        func product(after prefix: String) -> ProcessorProduct? {
            guard let commonName, commonName.hasPrefix(prefix) else { return nil }
            let name = commonName.dropFirst(prefix.count)
            return products.entries.first { $0.product.rawValue == name }?.product
        }
        switch commonName {
        case nil: return nil
        case "SEV-VCEK"?: self = .leaf(.vcek)
        case "SEV-VLEK"?: self = .leaf(.vlek)
        default:
            if let product = product(after: "ARK-") {
                self = .root(product)
            } else if let product = product(after: "SEV-VLEK-") {
                self = .intermediate(.vlek, product)
            } else if let product = product(after: "SEV-") {
                self = .intermediate(.vcek, product)
            } else {
                return nil
            }
        }
    }
}

/// A leaf with the certificates above it, as far as they were given.
struct EndorsementPath {
    let leaf: CertificateBundle.Leaf
    let intermediate: Certificate?
    let root: Certificate?
    /// The pin that the root matches.
    let pinned: PinnedRoot?
    /// What the leaf's issuer is by its name.
    let issuer: AMDName?
    /// By the name of the leaf's issuer.
    let product: ProcessorProduct?
    let products: ProductTable

    init(
        leaf: CertificateBundle.Leaf, intermediate: Certificate?, root: Certificate?, pins: [PinnedRoot], _ products: ProductTable
    ) {
        self.leaf = leaf
        self.intermediate = intermediate
        self.root = root
        self.products = products
        issuer = AMDName(leaf.certificate.issuerCommonName, products)
        // Only a pin for the chain's own product counts.
        if case .intermediate(_, let product)? = issuer {
            self.product = product
            pinned = root.flatMap { root in pins.first { $0.product == product && $0.matches(root) } }
        } else {
            product = nil
            pinned = nil
        }
    }

    /// What is there, from the leaf up, with the name that messages use.
    var certificates: [(name: String, certificate: Certificate)] {
        let names = leaf.kind == .vcek ? ("VCEK", "ASK") : ("VLEK", "ASVK")
        return [(names.0, leaf.certificate)] + (intermediate.map { [(names.1, $0)] } ?? []) + (root.map { [("ARK", $0)] } ?? [])
    }

    var endorsement: Endorsement? {
        guard let product, let intermediate, let root else { return nil }
        return Endorsement(
            product: product, kind: leaf.kind, leaf: leaf.certificate, intermediate: intermediate, root: root, pinnedRoot: pinned?.name,
            extensions: try? leaf.extensions.get())
    }
}
