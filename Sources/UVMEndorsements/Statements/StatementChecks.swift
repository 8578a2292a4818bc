internal import OpenSSLCrypto
internal import PlainText

/// Whose statements count, and at which time their signers are judged.
package struct StatementTrust: Sendable {
    /// Issuer and feed must be those of one entry, and the security version number at least its minimum.
    package var issuers: [TrustedIssuer]
    /// Object identifiers of which the signer's certificate must have one; empty asks for nothing beyond what issuers' identifiers ask.
    package var extendedKeyUsages: [String] = []
    /// The present, in seconds since 1970. Certificates are judged at the time of signing, because they live for a year and statements
    /// longer; the present counts where no time of signing is claimed, and is reported otherwise.
    package var time: Int64?

    package init(issuers: [TrustedIssuer], time: Int64? = nil) {
        self.issuers = issuers
        self.time = time
    }
}

/// The checks that every signed statement gets, whatever it says.
struct StatementChecks {
    let header: StatementHeader
    let trust: StatementTrust
    /// Whether an ECDSA key may be of another curve than JOSE pairs with its hash, as RFC 9053, 2.1, allows and published lists have it.
    var allowsAnyCurve = false

    // MARK: Issuer, feed, version

    private var sameIssuer: [TrustedIssuer] { trust.issuers.filter { $0.issuer.utf8.elementsEqual(header.issuer.utf8) } }

    func checkIdentity(_ log: inout UVMCheckLog) {
        guard !sameIssuer.isEmpty else {
            log.fail(.issuer, "the issuer \(header.issuer) is not trusted\(foreignUsage)")
            return
        }
        log.pass(.issuer, header.issuer)
        guard sameIssuer.contains(where: { $0.feed.utf8.elementsEqual(header.feed.utf8) }) else {
            log.fail(.feed, "the issuer is not trusted for the feed \(header.feed)")
            return
        }
        log.pass(.feed, header.feed)
    }

    /// What is behind an issuer under a trusted root that asks for another extended key usage; the end of a sentence.
    private var foreignUsage: String {
        guard let issuer = try? DIDX509(header.issuer),
            trust.issuers.contains(where: { (try? DIDX509($0.issuer))?.hasSameAuthority(as: issuer) == true })
        else { return "" }
        if issuer.namesNobody {
            return ": its extended key usage \(TrustedIssuer.everySigner) is in every certificate of Microsoft's signers and identifies "
                + "none; an early endorsement of 0.2.10 carried it by mistake"
        }
        return ": it is under a trusted authority, with another extended key usage or subject than the trusted ones"
    }

    /// Without a number only issuers without a minimum are satisfied.
    func checkVersion(_ svn: UInt64?, _ log: inout UVMCheckLog) {
        let minimum = sameIssuer.filter { $0.feed.utf8.elementsEqual(header.feed.utf8) }.map(\.minimumSVN).min()
        // Without an entry there is no minimum, and uvm-issuer or uvm-feed has failed already.
        guard let minimum else { return }
        guard let svn else {
            log.record(
                .svn, minimum == 0 ? [] : ["there is no security version number, and the minimum is \(minimum)"],
                otherwise: "no security version number, and none is asked for")
            return
        }
        log.record(
            .svn, svn >= minimum ? [] : ["the security version number \(svn) is below the minimum \(minimum)"],
            otherwise: "security version number \(svn), minimum \(minimum)")
    }

    // MARK: Certificates

    /// Whether every link of the chain holds.
    func checkChain(_ chain: EndorsementSigners, _ log: inout UVMCheckLog) -> Bool {
        log.record(
            .certificate, chain.certificateComplaints() + usageComplaints(chain), otherwise: "\(chain.certificates.count) certificates")
        if let thumbprint = header.thumbprint, let leaf = chain.certificates.first,
            thumbprint.algorithm.digest(leaf.der) != thumbprint.digest
        {
            // The leaf carries its issuer's signature: if that holds, the leaf is what was issued and the header names another one.
            if chain.isLeafIntact {
                log.fail(.protectedHeader, "x5t names another certificate than the leaf, which is as it was issued")
            } else {
                log.fail(.certificate, "the leaf certificate is neither the one that x5t names nor as it was issued")
            }
        }
        let complaints = chain.linkComplaints()
        log.record(.chain, complaints, otherwise: chain.description)
        checkValidity(chain, &log)
        do {
            try DIDX509(header.issuer).resolve(chain.certificates)
            log.pass(.did, "resolved by the chain")
        } catch { log.fail(.did, error.description) }
        return complaints.isEmpty
    }

    private func usageComplaints(_ chain: EndorsementSigners) -> [String] {
        guard !trust.extendedKeyUsages.isEmpty, let leaf = chain.certificates.first else { return [] }
        let usages = leaf.extendedKeyUsage ?? []
        if trust.extendedKeyUsages.contains(where: usages.contains) { return [] }
        return ["the leaf certificate has none of the extended key usages \(trust.extendedKeyUsages.joined(separator: ", "))"]
    }

    private func checkValidity(_ chain: EndorsementSigners, _ log: inout UVMCheckLog) {
        guard let time = header.signingTime ?? trust.time else {
            log.fail(.validity, "no time of signing is claimed, and the present time was not given")
            return
        }
        let claim =
            header.signingTime == nil
            ? "at the present time \(RFC3339.format(time)), as no time of signing is claimed"
            : "at the time of signing \(RFC3339.format(time)), which is the signer's claim"
        var remark = "judged \(claim)"
        if let present = trust.time, header.signingTime != nil {
            if time > present { remark += "; that time is in the future" }
            if !chain.validityComplaints(at: present).isEmpty { remark += "; not every certificate is valid at present" }
        }
        log.record(.validity, chain.validityComplaints(at: time).map { "\($0); judged \(claim)" }, otherwise: remark)
    }

    // MARK: Signature

    func checkSignature(_ witness: SignatureWitness, _ payload: [UInt8], _ chain: EndorsementSigners, _ log: inout UVMCheckLog) {
        guard let algorithm = header.algorithm else {
            log.fail(.signature, "the algorithm \(header.algorithmID) is not known, so that the signature is not judged")
            return
        }
        guard let key = try? chain.certificates.first?.publicKey else {
            log.fail(.signature, "the leaf certificate has no usable key")
            return
        }
        guard algorithm.fits(key.kind, anyCurve: allowsAnyCurve) else {
            log.fail(.signature, "the algorithm \(algorithm.name) does not fit the leaf certificate's key")
            return
        }
        let message = witness.message
        let signed = COSESign1.signedBytes(protected: message.protected, payload: payload)
        guard key.verifies(message.signature, of: signed, algorithm: algorithm.signatureAlgorithm) else {
            log.fail(.signature, "the signature does not verify with the leaf certificate's key\(witness.remark)")
            return
        }
        log.pass(.signature, "\(algorithm.name), verified with the leaf certificate's key")
    }
}
