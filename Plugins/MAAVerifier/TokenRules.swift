internal import BrokerCore
internal import HTTPTransport
internal import JOSE
internal import OpenSSLCrypto
internal import StrictJSON

/// What a token must be before it is used (AttestationService.md, "Token" and "Claims"): signed by its authority, valid now, and about this
/// request's evidence.
struct TokenRules {
    let authority: Endpoint
    let nonce: String
    let runtime: RuntimeDataForm
    /// The raw report that was sent.
    let report: [UInt8]
    /// Seconds since 1970.
    let time: Int64
    let settings: MAASettings

    static let maximumTokenBytes = 64 * 1024

    func verified(_ compact: String, keys: PublishedKeys, in context: RequestContext) async throws(BrokerError) -> AttestationToken {
        let jws: JWS
        do { jws = try JWS(compact: compact, maximumBytes: Self.maximumTokenBytes) } catch { throw disbelieved(error.description, error) }
        guard jws.algorithm == JWSAlgorithm.rs256.rawValue else { throw disbelieved("it is not signed with RS256") }
        guard let kid = jws.keyID, !kid.isEmpty else { throw disbelieved("it names no signing key (kid)") }
        let candidates = try await keys.keys(named: kid, of: authority, in: context)
        guard !candidates.isEmpty else { throw disbelieved("it is signed with a key that \(authority) does not publish") }
        let isSigned = candidates.contains { key in
            guard case .rsa(let bits) = key.publicKey.kind, bits >= 2048 else { return false }
            return (try? jws.verify(with: key.publicKey, algorithm: .rs256)) != nil
        }
        guard isSigned else { throw disbelieved("its signature does not verify with the published key") }
        let claims: JSONCursor
        do { claims = try jws.payload(limits: JSONLimits(maximumBytes: Self.maximumTokenBytes, bigIntegers: .asReal)) } catch {
            throw disbelieved(error.description, error)
        }
        let expiresAt: Int64
        let isDebuggable: Bool
        do {
            expiresAt = try checkOrigin(claims)
            try checkSubject(claims)
            isDebuggable = try claims.optionalBoolean("x-ms-sevsnpvm-is-debuggable") ?? false
        } catch { throw disbelieved(error.description, error) }
        guard !isDebuggable || !settings.refusesDebug else {
            throw BrokerError(
                .verificationRejected, at: .verify,
                "the guest may be debugged by its host, and verifier.maa.refuse-debug is set; start it without the debug policy")
        }
        return AttestationToken(compact: compact, authority: authority, expiresAt: expiresAt)
    }

    /// Issuer, time, kind and freshness. Returns `exp`.
    private func checkOrigin(_ claims: JSONCursor) throws(JSONError) -> Int64 {
        try equal(try claims.member("iss"), authority.origin)
        try equal(try claims.member("x-ms-attestation-type"), "sevsnpvm")
        let skew = settings.clockSkew.components.seconds
        let exp = try claims.member("exp")
        let expiresAt = try exp.integer()
        guard expiresAt > time - skew else { throw exp.invalid("the token has expired; check this machine's clock") }
        if let nbf = try claims.optional("nbf"), try nbf.integer() > time + skew {
            throw nbf.invalid("the token is not valid yet; check this machine's clock")
        }
        if let echoed = try claims.optional("nonce") {
            guard try echoed.string().utf8.elementsEqual(nonce.utf8) else { throw echoed.invalid("not the nonce that was sent") }
        } else if settings.requiresNonce {
            throw claims.invalid("the nonce that was sent is missing")
        }
        return expiresAt
    }

    /// That the token is about the evidence and the runtime data that were sent.
    private func checkSubject(_ claims: JSONCursor) throws(JSONError) {
        if let document = runtime.document {
            let claimed = try claims.member("x-ms-runtime")
            guard claimed.value.means(document) else { throw claimed.invalid("not the runtime data that was sent") }
        }
        for (claim, field) in Self.reportFields {
            guard report.count >= field.upperBound else { continue }
            guard let claimed = try claims.optional(claim) else {
                // Opaque runtime data is not repeated in the token, so only this claim ties the two together.
                if runtime.document == nil, claim == Self.reportData { _ = try claims.member(claim) }
                continue
            }
            guard try claimed.string().lowercased() == Hex.encode(report[field]) else { throw claimed.invalid("not what the report says") }
        }
    }

    private static let reportData = "x-ms-sevsnpvm-reportdata"
    /// Claims that repeat a field of the report, with its place (AMD 56860, "ATTESTATION_REPORT").
    private static let reportFields: [(String, Range<Int>)] = [
        (reportData, 0x50..<0x90), ("x-ms-sevsnpvm-launchmeasurement", 0x90..<0xC0), ("x-ms-sevsnpvm-hostdata", 0xC0..<0xE0),
    ]

    private func equal(_ member: JSONCursor, _ wanted: String) throws(JSONError) {
        guard try member.string().utf8.elementsEqual(wanted.utf8) else { throw member.invalid("not \(wanted)") }
    }

    private func disbelieved(_ reason: String, _ cause: (any Error & Sendable)? = nil) -> BrokerError {
        BrokerError(.upstreamInvalid, at: .verify, "the token of \(authority) cannot be believed: \(reason)", cause: cause)
    }
}
