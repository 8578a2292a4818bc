package import OpenSSLCrypto

extension DIDX509 {
    /// Checks that the chain, leaf first, belongs to this identifier: the fingerprint is that of a certificate other than the leaf, and
    /// every predicate holds for the leaf. Whether the chain is one at all is the caller's business, as is whether the identifier deserves
    /// trust.
    package func resolve(_ chain: [Certificate]) throws(DIDX509Error) {
        guard chain.count >= 2, let leaf = chain.first else { throw DIDX509Error(description: "the chain has fewer than two certificates") }
        guard names(authorityIn: chain) else {
            throw DIDX509Error(description: "the fingerprint is that of no certificate authority in the chain")
        }
        let names = CertificateNames(leaf)
        for predicate in predicates {
            guard Self.holds(predicate, for: leaf, names) else {
                throw DIDX509Error(description: "the leaf certificate does not satisfy '\(predicate.name)'")
            }
        }
    }

    /// Whether both name the same certificate authority by the same kind of fingerprint.
    func hasSameAuthority(as other: DIDX509) -> Bool {
        fingerprintAlgorithm == other.fingerprintAlgorithm && fingerprint == other.fingerprint
    }

    /// Whether all that it asks of the leaf is what every certificate of Microsoft's signers has.
    package var namesNobody: Bool {
        predicates.allSatisfy { predicate in
            guard case .extendedKeyUsage(let usage) = predicate else { return false }
            return usage == TrustedIssuer.everySigner
        }
    }

    /// Whether the fingerprint is that of a certificate other than the leaf.
    func names(authorityIn chain: [Certificate]) -> Bool {
        chain.dropFirst().contains { fingerprintAlgorithm.digest.digest($0.der) == fingerprint }
    }

    // Texts are compared byte by byte, not by Swift's canonical equivalence.
    private static func holds(_ predicate: Predicate, for leaf: Certificate, _ names: CertificateNames) -> Bool {
        switch predicate {
        case .extendedKeyUsage(let oid): leaf.extendedKeyUsage?.contains(oid) ?? false
        case .alternativeName(let kind, let value):
            names.alternatives.contains { $0.kind == kind && $0.value.utf8.elementsEqual(value.utf8) }
        case .fulcioIssuer(let issuer): names.fulcioIssuer?.utf8.elementsEqual("https://\(issuer)".utf8) ?? false
        case .subject(let pairs): pairs.allSatisfy { pair in names.subject?[pair.key]?.utf8.elementsEqual(pair.value.utf8) ?? false }
        }
    }
}

extension DIDX509.Predicate {
    /// As in an identifier.
    var name: String {
        switch self {
        case .extendedKeyUsage: "eku"
        case .subject: "subject"
        case .alternativeName: "san"
        case .fulcioIssuer: "fulcio-issuer"
        }
    }
}
