internal import OpenSSLCrypto
internal import PlainText

/// What a verifier asks of a chain of two to ten certificates, leaf first. Each function returns complaints; none means that all is well.
struct EndorsementSigners {
    let certificates: [Certificate]
    /// The issuer of the endorsement, which names one of the authorities; `nil` when it is not a did:x509 identifier.
    var issuer: DIDX509?

    // RFC 5280, 4.2: a critical extension that is not processed makes a certificate unusable. Subject alternative names and extended key
    // usage are matched by the issuer's did:x509 predicates; certificate policies ask nothing of a verifier that requires none.
    private static let understoodExtensions: Set<String> = ["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.32", "2.5.29.37"]
    private static let nameConstraints = "2.5.29.30"

    // MARK: Each certificate by itself

    func certificateComplaints() -> [String] {
        var complaints: [String] = []
        for (index, certificate) in certificates.enumerated() {
            if !hasAcceptableKey(certificate) { complaints.append("\(name(index)) has no acceptable key") }
            let unknown = certificate.extensions.first { certificateExtension in
                certificateExtension.oid == Self.nameConstraints
                    || certificateExtension.isCritical && !Self.understoodExtensions.contains(certificateExtension.oid)
            }
            if Set(certificate.extensions.map(\.oid)).count != certificate.extensions.count {
                complaints.append("\(name(index)) has an extension twice")
            }
            if let unknown { complaints.append("\(name(index)) has the extension \(unknown.oid), which is not supported") }
        }
        if let leaf = certificates.first, !leaf.allowsKeyUsage(.digitalSignature) {
            complaints.append("the leaf certificate's key usage does not allow digital signatures")
        }
        return complaints
    }

    // MARK: Links

    /// Whether the leaf is as its issuer signed it.
    var isLeafIntact: Bool { certificates.count > 1 && certificates[0].isSigned(by: certificates[1]) }

    func linkComplaints() -> [String] {
        guard UVMEndorsement.chainLengths.contains(certificates.count) else {
            return ["the chain has \(certificates.count) certificates; 2 to 10 are accepted"]
        }
        var complaints: [String] = []
        for index in 1..<certificates.count { complaints += linkComplaints(certificates[index - 1], signedBy: certificates[index], index) }
        // Nothing above the last certificate vouches for it. A root must at least be as its own key signed it; anything else is believed
        // only because the issuer names an authority of this chain.
        let last = certificates[certificates.count - 1]
        if !last.subject.utf8.elementsEqual(last.issuer.utf8) {
            if issuer?.names(authorityIn: certificates) != true {
                complaints.append("\(name(certificates.count - 1)) is no root, and the issuer names no authority of the chain")
            }
        } else if !last.isSigned(by: last) {
            complaints.append("\(name(certificates.count - 1)) names itself as issuer, but is not signed by itself")
        }
        return complaints
    }

    private func linkComplaints(_ subject: Certificate, signedBy issuer: Certificate, _ index: Int) -> [String] {
        var complaints: [String] = []
        if issuer.subject.isEmpty || !subject.issuer.utf8.elementsEqual(issuer.subject.utf8) {
            complaints.append("\(name(index - 1)) was issued by somebody else than \(name(index))")
        } else if !subject.isSigned(by: issuer) {
            complaints.append("\(name(index - 1)) is not signed by \(name(index))")
        }
        if !Self.isStrong(subject.signatureScheme) {
            complaints.append("\(name(index - 1)) is signed with an algorithm that is not accepted")
        }
        if !issuer.isCertificateAuthority {
            complaints.append("\(name(index)) is not a certificate authority")
        } else if !issuer.allowsKeyUsage(.keyCertSign) {
            complaints.append("\(name(index)) may not sign certificates")
        }
        // RFC 5280, 4.2.1.9: how many intermediate certificates may stand between this one and the leaf.
        if let limit = issuer.pathLengthConstraint, index - 1 > limit {
            complaints.append("\(name(index)) allows a path of \(limit) certificates, and has \(index - 1) below it")
        }
        return complaints
    }

    private static func isStrong(_ scheme: Certificate.SignatureScheme) -> Bool {
        switch scheme {
        case .rsaPKCS1(let digest), .ecdsa(let digest): digest != .sha1
        case .rsaPSS(let digest, let mgf1, _, _): digest != .sha1 && mgf1 != .sha1
        case .other: false
        }
    }

    // MARK: Time

    /// Certificates that were not valid at `time` (seconds since 1970).
    func validityComplaints(at time: Int64) -> [String] {
        certificates.indices.filter { !certificates[$0].isValid(at: time) }.map { index in
            let period = "\(RFC3339.format(certificates[index].notBefore)) to \(RFC3339.format(certificates[index].notAfter))"
            return "\(name(index)) is valid from \(period)"
        }
    }

    // MARK: Words

    private func name(_ index: Int) -> String { index == 0 ? "the leaf certificate" : "certificate \(index + 1)" }

    private func hasAcceptableKey(_ certificate: Certificate) -> Bool {
        switch (try? certificate.publicKey)?.kind {
        case .rsa(let bits): (2048...8192).contains(bits)
        case .ec: true
        default: false
        }
    }

    /// The subjects, leaf first, printable and of bounded length.
    var description: String {
        certificates.map { VisibleText.name($0.subject) }.joined(separator: " < ")
    }
}
