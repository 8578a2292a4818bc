internal import OpenSSLCrypto
package import PlainText

/// A statement that somebody signed about something: COSE_Sign1 with a chain of certificates and a did:x509 issuer in its protected header.
/// What it says is for whoever knows its content type.
package struct SignedStatement: Sendable {
    /// did:x509 identifier of who signed.
    package let issuer: String
    /// What was signed: the feed, or the subject of the CWT claims.
    package let feed: String
    package let svn: UInt64?
    /// Seconds since 1970; the signer's claim.
    package let signingTime: Int64?
    /// Of the payload, as the header has it.
    package let contentType: String?
    package let payload: [UInt8]
    /// Whether the signature's algorithm is one that is judged here.
    package let hasKnownAlgorithm: Bool
}

/// What was found of a signed statement.
package struct StatementVerdict: Sendable {
    /// Three: the form, the signature with everything that leads to it, and whether the issuer is trusted for the feed.
    package let checks: [Check]
    /// The statement, when it could be read, also when it is not verified.
    package let statement: SignedStatement?

    /// Whether every check was made and passed.
    package var isVerified: Bool { statement != nil && checks.count == 3 && checks.allSatisfy(\.ok) }
}

/// Verifies signed statements of any content.
package struct StatementVerifier: Sendable {
    private let prefix: String
    private let trust: StatementTrust

    /// The three codes are `PREFIX-form`, `PREFIX-signature` and `PREFIX-issuer`.
    package init(prefix: String, trust: StatementTrust) {
        self.prefix = prefix
        self.trust = trust
    }

    /// Verifies an encoded statement. Any bytes get an answer; nothing is thrown.
    package func verify(_ cose: [UInt8]) -> StatementVerdict {
        var log = UVMCheckLog()
        let message: COSESign1
        let header: StatementHeader
        do {
            message = try COSESign1(cose)
            header = try StatementHeader(message.protectedHeader())
        } catch let error as UVMEndorsementError { return failed(error.detail) } catch let error as COSEError {
            return failed(error.reason)
        } catch { return failed("\(error)") }
        guard let payload = message.payload else { return failed("the payload is detached") }
        let checks = StatementChecks(header: header, trust: trust, allowsAnyCurve: true)
        checks.checkIdentity(&log)
        checks.checkVersion(header.svn, &log)
        do {
            let certificates = try header.certificates()
            let chain = EndorsementSigners(certificates: certificates, issuer: try? DIDX509(header.issuer))
            let witness = SignatureWitness(message: message, isChainIntact: checks.checkChain(chain, &log), isPayloadExpected: false)
            checks.checkSignature(witness, payload, chain, &log)
        } catch { log.fail(error) }
        let statement = SignedStatement(
            issuer: header.issuer, feed: header.feed, svn: header.svn, signingTime: header.signingTime, contentType: header.contentType,
            payload: payload, hasKnownAlgorithm: header.algorithm != nil)
        let kind = header.contentType.map { "content type \(VisibleText.name($0))" } ?? "no content type"
        return StatementVerdict(
            checks: [
                Check("\(prefix)-form", true, "a COSE_Sign1 message of \(cose.count) bytes, \(kind)"),
                fold("signature", [.protectedHeader, .certificate, .chain, .validity, .signature, .did], log),
                fold("issuer", [.issuer, .feed, .svn], log),
            ], statement: statement)
    }

    private func failed(_ reason: String) -> StatementVerdict {
        StatementVerdict(checks: [Check("\(prefix)-form", false, reason)], statement: nil)
    }

    /// One check out of several, with the words of those that fail, or else of the ones that say most.
    private func fold(_ name: String, _ codes: [UVMCheckCode], _ log: UVMCheckLog) -> Check {
        let checks = log.checks.filter { check in codes.contains { $0.rawValue == check.code } }
        let failed = checks.filter { !$0.ok }
        // A path that forgets a check must not end in "holds"; x5t has no words of its own where it is right.
        let isComplete = codes.filter { $0 != .protectedHeader }.allSatisfy { code in checks.contains { $0.code == code.rawValue } }
        guard failed.isEmpty, isComplete else {
            let words = failed.map(\.detail).joined(separator: "; ")
            return Check("\(prefix)-\(name)", false, words.isEmpty ? "not every check could be made" : words)
        }
        let words = checks.map(\.detail).joined(separator: "; ")
        return Check("\(prefix)-\(name)", true, words)
    }
}
