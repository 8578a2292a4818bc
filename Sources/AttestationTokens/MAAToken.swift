package import JOSE
package import StrictJSON

/// A token of Microsoft Azure Attestation, taken apart once: whatever is asked of it later is read from here
/// (AttestationService.md, "Token" and "Claims"). Nothing of it is believed before `TokenVerification` has judged it.
package struct MAAToken: Sendable {
    /// Values of `x-ms-attestation-type` for AMD SEV-SNP guests. Each names a profile of the rules: where a token of that kind says what.
    package enum Kind: String, Sendable, CaseIterable {
        /// About a report that the guest sent itself; what the broker asks for.
        case sevsnpvm
        /// About a confidential VM, attested through its vTPM; the processor's claims are nested
        /// (AttestationService.md, "Tokens of confidential VMs").
        case azurevm
    }

    /// Longest token, in bytes. Real ones have some thousand.
    package static let maximumBytes = 64 * 1024
    /// Longest file with a token in it.
    package static let maximumFileBytes = 256 * 1024

    /// Exactly as the authority issued it.
    package let compact: String
    package let jws: JWS
    package let claims: JSONObject

    /// Throws for what is no compact JWS with an object as payload.
    package init(compact: String) throws(JOSEError) {
        self.compact = compact
        jws = try JWS(compact: compact, maximumBytes: Self.maximumBytes)
        // An authority may state 64-bit values; none of them is used.
        let payload = try jws.payload(limits: JSONLimits(maximumBytes: Self.maximumBytes, bigIntegers: .asReal))
        guard case .object(let claims) = payload.value else { throw JOSEError("the payload is not an object") }
        self.claims = claims
    }

    /// `iss`, empty where the token has none.
    package var issuer: String { claims.text("iss") ?? "" }

    /// `jti`: the authority's name for this token.
    package var id: String? { claims.text("jti") }

    /// `exp`, in seconds since 1970.
    package var expiry: Int64? { if case .integer(let time)? = claims["exp"] { time } else { nil } }

    /// The document that the report commits to, where it was sent as one (AttestationService.md, "Attest request").
    package var runtimeClaim: JSONValue? { claims["x-ms-runtime"] }

    /// The key that could have signed it: `nil` where no key of an authority can.
    package var signingKeyID: String? {
        guard jws.algorithm == JWSAlgorithm.rs256.rawValue, let kid = jws.keyID, !kid.isEmpty else { return nil }
        return kid
    }

    /// The claims about the processor; none in a token of another kind.
    package func hardwareClaims(_ kind: Kind) -> JSONObject {
        switch kind {
        case .sevsnpvm: claims
        case .azurevm: if case .object(let nested)? = claims["x-ms-isolation-tee"] { nested } else { [:] }
        }
    }

    /// The issuer, when it is written exactly like a host of Azure Attestation: the only claim about itself that a token may be believed
    /// before it is verified, because asking that host for its keys can do no harm.
    package var publicAuthority: String? {
        let name = AuthorityName(issuer)
        return name.provider != nil && issuer == name.canonical ? issuer : nil
    }

    /// The protected header without what could be used or is long: `x5c` becomes the number of its certificates.
    package var shownHeader: JSONObject {
        var shown = jws.header
        if case .array(let certificates)? = shown["x5c"] { shown.set("x5c", .string("(\(certificates.count) certificates)")) }
        return shown
    }
}

extension JSONObject {
    /// The member where it is a string.
    func text(_ name: String) -> String? { if case .string(let text)? = self[name] { text } else { nil } }
}
