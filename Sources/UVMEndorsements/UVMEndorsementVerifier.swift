internal import OpenSSLCrypto
internal import PlainText

/// Decides whether a UVM endorsement is one that its reader should believe (UVMEndorsements.md, "Verification").
///
/// All checks are made that the readable parts allow, so that a rejection names everything that is wrong; `UVMCheckCode` says how the
/// combination tells which part was altered.
package struct UVMEndorsementVerifier: Sendable {
    package init() {}

    /// Verifies an encoded endorsement. Any bytes get an answer; nothing is thrown.
    package func verify(_ cose: [UInt8], policy: Policy = Policy()) -> UVMVerificationResult {
        var log = UVMCheckLog()
        let parts: UVMEndorsementParts
        do { parts = try UVMEndorsementParts(cose) } catch {
            log.fail(error)
            return log.result(nil)
        }
        log.pass(.cose, "a COSE_Sign1 message of \(cose.count) bytes")
        let header: UVMHeader
        switch parts.header {
        case .success(let value): header = value
        case .failure(let error):
            log.fail(error)
            return log.result(nil)
        }
        log.pass(.protectedHeader, "form \(header.form.rawValue), algorithm \(header.algorithm.name)")

        let payload = Self.readPayload(parts, header, &log)
        let certificates = Self.readCertificates(parts, header, &log)
        Self.checkIdentity(header, policy, &log)
        if let payload {
            Self.checkVersion(header, payload, policy, &log)
            Self.checkMeasurement(payload, policy, &log)
        }
        if let certificates {
            let chain = EndorsementSigners(certificates: certificates, issuer: try? DIDX509(header.issuer))
            let isIntact = Self.checkChain(chain, header, policy, &log)
            let witness = SignatureWitness(
                message: parts.message, isChainIntact: isIntact,
                isPayloadExpected: payload != nil && payload?.launchMeasurement == policy.expectedMeasurement)
            Self.checkSignature(witness, parts.payloadBytes, header, chain, &log)
        }
        Self.checkReceipts(parts, policy, &log)

        guard let payload, let certificates, case .success(let receipts) = parts.receipts else { return log.result(nil) }
        return log.result(try? UVMEndorsement(header, payload, certificates, receipts))
    }

    // MARK: Reading

    private static func readPayload(_ parts: UVMEndorsementParts, _ header: UVMHeader, _ log: inout UVMCheckLog) -> UVMPayload? {
        do {
            let payload = try parts.payload(for: header)
            log.pass(.payload, "\(parts.payloadBytes.count) bytes")
            return payload
        } catch {
            log.fail(error)
            return nil
        }
    }

    private static func readCertificates(_ parts: UVMEndorsementParts, _ header: UVMHeader, _ log: inout UVMCheckLog) -> [Certificate]? {
        do { return try parts.certificates(of: header) } catch {
            log.fail(error)
            return nil
        }
    }

    // MARK: Issuer, feed, version, measurement

    private static func checkIdentity(_ header: UVMHeader, _ policy: Policy, _ log: inout UVMCheckLog) {
        let sameIssuer = policy.trustedIssuers.filter { $0.issuer.utf8.elementsEqual(header.issuer.utf8) }
        guard !sameIssuer.isEmpty else {
            log.fail(.issuer, "the issuer \(header.issuer) is not trusted")
            return
        }
        log.pass(.issuer, header.issuer)
        guard sameIssuer.contains(where: { $0.feed.utf8.elementsEqual(header.feed.utf8) }) else {
            log.fail(.feed, "the issuer is not trusted for the feed \(header.feed)")
            return
        }
        log.pass(.feed, header.feed)
    }

    private static func checkVersion(_ header: UVMHeader, _ payload: UVMPayload, _ policy: Policy, _ log: inout UVMCheckLog) {
        let svn: UInt64
        do { svn = try UVMEndorsement.svn(header, payload) } catch {
            log.fail(error)
            return
        }
        let minimum = policy.trustedIssuers.filter {
            $0.issuer.utf8.elementsEqual(header.issuer.utf8) && $0.feed.utf8.elementsEqual(header.feed.utf8)
        }.map(\.minimumSVN).min()
        // Without an entry there is no minimum, and uvm-issuer or uvm-feed has failed already.
        guard let minimum else { return }
        log.record(
            .svn, svn >= minimum ? [] : ["the security version number \(svn) is below the minimum \(minimum)"],
            otherwise: "security version number \(svn), minimum \(minimum)")
    }

    private static func checkMeasurement(_ payload: UVMPayload, _ policy: Policy, _ log: inout UVMCheckLog) {
        let measurement = Hex.encode(payload.launchMeasurement)
        guard let expected = policy.expectedMeasurement else {
            log.pass(.measurement, "\(measurement); there was no report to compare it with")
            return
        }
        log.record(
            .measurement,
            payload.launchMeasurement == expected
                ? [] : ["the endorsed launch measurement \(measurement) is not the expected \(Hex.encode(expected))"],
            otherwise: measurement)
    }

    // MARK: Certificates

    /// Whether every link of the chain holds.
    private static func checkChain(_ chain: EndorsementSigners, _ header: UVMHeader, _ policy: Policy, _ log: inout UVMCheckLog) -> Bool {
        log.record(.certificate, chain.certificateComplaints(), otherwise: "\(chain.certificates.count) certificates")
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
        checkValidity(chain, header, policy, &log)
        do {
            try DIDX509(header.issuer).resolve(chain.certificates)
            log.pass(.did, "resolved by the chain")
        } catch { log.fail(.did, error.description) }
        return complaints.isEmpty
    }

    private static func checkValidity(_ chain: EndorsementSigners, _ header: UVMHeader, _ policy: Policy, _ log: inout UVMCheckLog) {
        guard let time = header.signingTime ?? policy.time else {
            log.fail(.validity, "no time of signing is claimed, and the present time was not given")
            return
        }
        let claim =
            header.signingTime == nil
            ? "at the present time \(RFC3339.format(time)), as no time of signing is claimed"
            : "at the time of signing \(RFC3339.format(time)), which is the signer's claim"
        var remark = "judged \(claim)"
        if let present = policy.time, header.signingTime != nil {
            if time > present { remark += "; that time is in the future" }
            if !chain.validityComplaints(at: present).isEmpty { remark += "; not every certificate is valid at present" }
        }
        log.record(.validity, chain.validityComplaints(at: time).map { "\($0); judged \(claim)" }, otherwise: remark)
    }

    // MARK: Signature

    private static func checkSignature(
        _ witness: SignatureWitness, _ payload: [UInt8], _ header: UVMHeader, _ chain: EndorsementSigners, _ log: inout UVMCheckLog
    ) {
        guard let key = try? chain.certificates.first?.publicKey else {
            log.fail(.signature, "the leaf certificate has no usable key")
            return
        }
        guard header.algorithm.fits(key.kind) else {
            log.fail(.signature, "the algorithm \(header.algorithm.name) does not fit the leaf certificate's key")
            return
        }
        let message = witness.message
        let signed = COSESign1.signedBytes(protected: message.protected, payload: payload)
        guard key.verifies(message.signature, of: signed, algorithm: header.algorithm.signatureAlgorithm) else {
            log.fail(.signature, "the signature does not verify with the leaf certificate's key\(witness.remark)")
            return
        }
        log.pass(.signature, "\(header.algorithm.name), verified with the leaf certificate's key")
    }

    // MARK: Receipts

    private static func checkReceipts(_ parts: UVMEndorsementParts, _ policy: Policy, _ log: inout UVMCheckLog) {
        switch parts.receipts {
        case .failure(let error): log.fail(error)
        case .success(let receipts):
            let outcome = LedgerReceiptCheck(
                receipts: receipts, message: parts.message, keys: policy.ledgerKeys, isRequired: policy.requiresReceipt)
            log.record(.receipt, outcome.complaints, otherwise: outcome.remark)
        }
    }
}
