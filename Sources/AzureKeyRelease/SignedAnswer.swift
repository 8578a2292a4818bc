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
    let signers: VerifiedSigners
    /// Name of the endpoint that was asked, without its port.
    let host: String
    /// Seconds since 1970.
    let time: Int64

    func payload(of body: [UInt8]) throws(UntrustedAnswer) -> JSONCursor {
        let compact: String
        do {
            let limits = JSONLimits(maximumBytes: AzureKeyStore.maximumAnswerBytes, maximumDepth: 8)
            compact = try JSONCursor.parse(body, limits: limits).string("value")
        } catch { throw UntrustedAnswer(error.description) }
        let known = signers.signer(for: host, at: time)
        let jws: JWS
        do throws(JOSEError) {
            jws = try JWS(compact: compact, maximumBytes: Self.maximumJWSBytes, known: known?.header)
            guard jws.algorithm == JWSAlgorithm.rs256.rawValue else { throw JOSEError("it is not signed with RS256") }
        } catch { throw UntrustedAnswer(error.description) }
        let key = if let known, jws.protectedHeader == known.header { known.key } else { try verifiedKey(of: jws) }
        do {
            try jws.verify(with: key, algorithm: .rs256)
            return try jws.payload(limits: JSONLimits(maximumBytes: Self.maximumJWSBytes, maximumDepth: 16))
        } catch { throw UntrustedAnswer(error.description) }
    }

    private func verifiedKey(of jws: JWS) throws(UntrustedAnswer) -> PublicKey {
        let chain: [Certificate]
        do { chain = try jws.certificateChain } catch { throw UntrustedAnswer(error.description) }
        let key = try signingKey(chain)
        signers.keep(jws.protectedHeader, key, chain: chain, for: host, at: time)
        return key
    }

    /// The leaf's key, after its chain was built to the trust store.
    private func signingKey(_ chain: [Certificate]) throws(UntrustedAnswer) -> PublicKey {
        guard let leaf = chain.first else { throw UntrustedAnswer("it names no signing certificate (x5c)") }
        do { try trust.verify(leaf: leaf, intermediates: Array(chain.dropFirst()), host: host, at: time) } catch {
            throw UntrustedAnswer(
                "its signing certificate is not trusted for \(host): \(error.reason); "
                    + "a private certificate authority goes into tls.ca-file")
        }
        let key: PublicKey
        do { key = try leaf.publicKey } catch { throw UntrustedAnswer("its signing certificate has an unusable key: \(error.reason)") }
        guard case .rsa(let bits) = key.kind, bits >= 2048 else {
            throw UntrustedAnswer("its signing certificate has no RSA key of at least 2048 bits")
        }
        return key
    }
}
