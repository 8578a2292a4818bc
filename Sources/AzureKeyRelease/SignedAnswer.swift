internal import JOSE
internal import OpenSSLCrypto
internal import StrictJSON

/// Checks the signature of a release answer: `{"value":"<compact JWS>"}` (KeyStores.md, "Release answer").
///
/// RS256 is pinned. The signer is the first certificate of `x5c`; it must chain to the broker's own trust store, never to a root out of the
/// message, and be valid for the host that was asked. Nothing of the payload is looked at before that.
struct SignedAnswer {
    static let maximumJWSBytes = 96 * 1024

    let trust: TrustStore
    /// Name of the endpoint that was asked, without its port.
    let host: String
    /// Seconds since 1970.
    let time: Int64

    func payload(of body: [UInt8]) throws(JOSEError) -> JSONCursor {
        let compact: String
        do {
            let limits = JSONLimits(maximumBytes: AzureKeyStore.maximumAnswerBytes, maximumDepth: 8)
            compact = try JSONCursor.parse(body, limits: limits).string("value")
        } catch { throw JOSEError(error.description) }
        let jws = try JWS(compact: compact, maximumBytes: Self.maximumJWSBytes)
        try jws.verify(with: try signingKey(try jws.certificateChain), algorithm: .rs256)
        return try jws.payload(limits: JSONLimits(maximumBytes: Self.maximumJWSBytes, maximumDepth: 16))
    }

    /// The leaf's key, after its chain was built to the trust store.
    private func signingKey(_ chain: [Certificate]) throws(JOSEError) -> PublicKey {
        guard let leaf = chain.first else { throw JOSEError("it names no signing certificate (x5c)") }
        do { try trust.verify(leaf: leaf, intermediates: Array(chain.dropFirst()), host: host, at: time) } catch {
            throw JOSEError(
                "its signing certificate is not trusted for \(host): \(error.reason); "
                    + "a private certificate authority goes into tls.ca-file")
        }
        let key: PublicKey
        do { key = try leaf.publicKey } catch { throw JOSEError("its signing certificate has an unusable key: \(error.reason)") }
        guard case .rsa(let bits) = key.kind, bits >= 2048 else {
            throw JOSEError("its signing certificate has no RSA key of at least 2048 bits")
        }
        return key
    }
}
