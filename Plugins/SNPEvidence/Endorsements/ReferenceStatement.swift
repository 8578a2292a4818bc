internal import BrokerCore
internal import OpenSSLCrypto
internal import PlainText
internal import UVMEndorsements

/// `tcb-reference-info` or `platform-reference-info`: a signed statement of the platform whose payload nobody published, so that it is
/// carried and never parsed (SecurityContext.md, "Directory").
struct ReferenceStatement: Sendable {
    enum State: Sendable {
        /// Nobody named an issuer, so nobody judged it.
        case opaque
        /// Signed by a named issuer for its feed.
        case verified(SignedStatement)
        case rejected(String)
    }

    /// As the file is called, without `-base64`.
    let name: String
    let content: [UInt8]
    let state: State

    init(name: String, content: [UInt8], trust: StatementTrust) {
        self.name = name
        self.content = content
        guard !trust.issuers.isEmpty else {
            state = .opaque
            return
        }
        let verdict = StatementVerifier(prefix: name, trust: trust).verify(content)
        if verdict.isVerified, let statement = verdict.statement {
            state = .verified(statement)
        } else {
            state = .rejected(verdict.checks.complaint)
        }
    }

    /// What is passed on; nothing where a named issuer did not sign it.
    var carried: PlatformStatement? {
        switch state {
        case .opaque: PlatformStatement(name: name, content: content, isVerified: false)
        case .verified: PlatformStatement(name: name, content: content, isVerified: true)
        case .rejected: nil
        }
    }

    /// In a sentence.
    var words: String {
        let size = "\(name): \(content.count) bytes, SHA-256 \(Hex.encode(DigestAlgorithm.sha256.digest(content)).prefix(16))…"
        switch state {
        case .opaque: return "\(size), opaque: no issuer is named for it, so it is carried and not judged"
        case .verified(let statement):
            let kind = statement.contentType.map { "content type \(VisibleText.name($0))" } ?? "no content type"
            return "\(size), signed by \(statement.issuer) for \(statement.feed), \(kind)"
        case .rejected(let complaint): return "\(size), not carried: \(complaint)"
        }
    }
}
