internal import OpenSSLCrypto

/// What else is known when the signature does not verify: which of header, payload and signature value was altered. Only words follow from
/// it; none of the witnesses is itself verified.
struct SignatureWitness {
    let message: COSESign1
    /// Whether the certificates in the header are as they were issued.
    let isChainIntact: Bool
    /// Whether the payload endorses exactly the expected measurement.
    let isPayloadExpected: Bool

    /// The end of a sentence, beginning with a separator.
    var remark: String {
        guard isChainIntact else { return "; the certificates in the protected header were altered, see uvm-chain" }
        let content = isPayloadExpected ? "the protected header (the payload endorses the expected measurement)" : Self.content
        switch namesSignature {
        case true?: return "; its time stamp names this signature value, so \(content) was altered"
        case false?: return "; its time stamp does not name this signature value, so the signature was altered"
        case nil: return "; \(isPayloadExpected ? "\(content)" : Self.content) or the signature was altered"
        }
    }

    private static let content = "the protected header or the payload"

    /// Whether the RFC 3161 token of the legacy form, which is made over the signature value, has its digest as message imprint; `nil`
    /// without a token.
    private var namesSignature: Bool? {
        guard let token = message.unprotected["timestamp"]?.bytes else { return nil }
        return [DigestAlgorithm.sha256, .sha384, .sha512].contains { algorithm in
            // An OCTET STRING with this content. Where in the token it stands does not matter for words.
            token.contains([0x04, UInt8(algorithm.byteCount)] + algorithm.digest(message.signature))
        }
    }
}
