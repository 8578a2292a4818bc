/// How a message is signed. The caller chooses it; nothing in a message changes it.
package enum SignatureAlgorithm: Sendable, Equatable {
    /// RSASSA-PKCS1-v1_5.
    case rsaPKCS1(DigestAlgorithm)
    /// RSASSA-PSS with MGF1 of the same hash and a salt of the digest's length.
    case rsaPSS(DigestAlgorithm)
    /// ECDSA; a signature is the raw `r || s`, each of the curve's coordinate size.
    case ecdsa(DigestAlgorithm)

    /// The hash function of the message.
    package var digest: DigestAlgorithm {
        switch self {
        case .rsaPKCS1(let digest), .rsaPSS(let digest), .ecdsa(let digest): digest
        }
    }
}
