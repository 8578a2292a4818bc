internal import PlainText
internal import ReleasePolicy
package import JOSE
internal import OpenSSLCrypto
package import StrictJSON

/// What makes a token believable, check by check (AttestationService.md, "Token", "Claims" and "Published keys").
package struct TokenVerification: Sendable {
    /// Values of `x-ms-attestation-type` for AMD SEV-SNP guests.
    package enum Kind: String, Sendable, CaseIterable { case sevsnpvm, azurevm }

    /// What the verifier demands.
    package struct Demands: Sendable {
        /// The issuer, `https://…` without a slash at its end.
        package var authority: String
        /// Seconds since 1970.
        package var time: Int64
        /// Seconds by which clocks may differ.
        package var clockSkew: Int64 = 60
        /// The nonce that was sent; `nil` does not look at it.
        package var nonce: String?
        /// The runtime data whose SHA-256 the report data must start with; `nil` does not look at it.
        package var runtimeData: [UInt8]?
        package var allowsDebug = false
        /// What the token must be about; the broker's verifier accepts `sevsnpvm` alone.
        package var kind = Kind.sevsnpvm

        package init(authority: String, time: Int64) {
            self.authority = authority
            self.time = time
        }
    }

    package struct Check: Sendable, Equatable {
        /// Stable, kebab-case.
        package let code: String
        package let ok: Bool
        package let detail: String
    }

    package private(set) var checks: [Check] = []

    package var isVerified: Bool { checks.allSatisfy(\.ok) }
    package var failures: [String] { checks.filter { !$0.ok }.map(\.code) }

    /// Makes every check; one that fails stops none.
    package init(_ document: TokenDocument, keys: JWKSet, demands: Demands) {
        checkSignature(document.token, keys)
        checkOrigin(document, demands)
        checkTimes(document.claims, demands)
        checkSubject(document.claims, demands)
    }

    private mutating func add(_ code: String, _ ok: Bool, _ detail: String) { checks.append(Check(code: code, ok: ok, detail: detail)) }

    private mutating func checkSignature(_ token: JWS, _ keys: JWKSet) {
        let algorithm = VisibleText.quoted(token.algorithm)
        add("algorithm", token.algorithm == JWSAlgorithm.rs256.rawValue, "\(algorithm); only RS256 is accepted")
        let kid = token.keyID ?? ""
        let candidates = kid.isEmpty ? [] : keys.keys(withID: kid)
        add(
            "signing-key", !candidates.isEmpty,
            kid.isEmpty
                ? "the header names no key (kid)"
                : "key \(VisibleText.quoted(kid)) is \(candidates.isEmpty ? "not " : "")among the \(keys.keys.count) published")
        let isSigned = candidates.contains { key in
            guard case .rsa(let bits) = key.publicKey.kind, bits >= 2048 else { return false }
            return (try? token.verify(with: key.publicKey, algorithm: .rs256)) != nil
        }
        add("signature", isSigned, isSigned ? "made with the published key" : "does not verify with a published RSA key")
    }

    private mutating func checkOrigin(_ document: TokenDocument, _ demands: Demands) {
        add(
            "issuer", document.issuer.utf8.elementsEqual(demands.authority.utf8),
            "\(VisibleText.quoted(document.issuer)), wanted \(VisibleText.quoted(demands.authority))")
        if case .string(let location)? = document.token.header["jku"] {
            let isOwn = location == demands.authority + "/certs"
            add("key-location", isOwn, "jku \(VisibleText.quoted(location)) is \(isOwn ? "" : "not ")the authority's; it is never followed")
        }
    }

    private mutating func checkTimes(_ claims: JSONObject, _ demands: Demands) {
        if case .integer(let end)? = claims["exp"] {
            let ok = end > demands.time &- demands.clockSkew
            add("expiry", ok, ok ? "still valid" : "expired \(demands.time &- end) seconds ago")
        } else {
            add("expiry", false, "no exp, or no whole number")
        }
        switch claims["nbf"] {
        case .integer(let start)?:
            let ok = start <= demands.time &+ demands.clockSkew
            add("not-before", ok, ok ? "already valid" : "valid in \(start &- demands.time) seconds only; check the clock")
        case nil: break
        default: add("not-before", false, "nbf is no whole number")
        }
    }

    private mutating func checkSubject(_ claims: JSONObject, _ demands: Demands) {
        if case .string(let type)? = claims["x-ms-attestation-type"] {
            add("attestation-type", type == demands.kind.rawValue, "\(VisibleText.quoted(type)), wanted \(demands.kind.rawValue)")
        } else {
            add("attestation-type", false, "no x-ms-attestation-type")
        }
        var hardware = claims
        if case .object(let nested)? = claims["x-ms-isolation-tee"] { hardware = nested }
        switch hardware["x-ms-sevsnpvm-is-debuggable"] {
        case .boolean(false)?: add("debuggable", true, "the host cannot read the guest's memory")
        case .boolean(true)?: add("debuggable", demands.allowsDebug, "the host can read the guest's memory")
        default: add("debuggable", demands.allowsDebug, "the token does not say whether the guest may be debugged")
        }
        if let nonce = demands.nonce {
            var found: String?
            if case .string(let text)? = claims["nonce"] { found = text }
            let ok = found.map { $0.utf8.elementsEqual(nonce.utf8) } ?? false
            add("nonce", ok, ok ? "the nonce that was sent" : "not the nonce that was sent")
        }
        if let data = demands.runtimeData {
            let digest = Hex.encode(DigestAlgorithm.sha256.digest(data))
            var found = ""
            if case .string(let text)? = hardware["x-ms-sevsnpvm-reportdata"] { found = text }
            let ok = found.utf8.elementsEqual((digest + String(repeating: "0", count: 64)).utf8)
            add(
                "runtime-data", ok,
                ok ? "the report data is its SHA-256" : "the report data is not its SHA-256 (\(digest)) followed by zeros")
        }
    }

    /// `{"verdict":"verified"|"rejected","failures":[code],"checks":[{"code","ok","detail"}]}`.
    package var json: JSONValue {
        [
            "verdict": .string(isVerified ? "verified" : "rejected"), "failures": .array(failures.map { .string($0) }),
            "checks": .array(checks.map { ["code": .string($0.code), "ok": .boolean($0.ok), "detail": .string($0.detail)] }),
        ]
    }

    /// The codes and what each means when it fails.
    package static let meanings: [(code: String, meaning: String)] = [
        ("algorithm", "The token is not signed with RS256."),
        ("signing-key", "The authority does not publish the key that the header names."), ("signature", "The signature does not verify."),
        ("issuer", "The token comes from another authority; the texts are compared exactly."),
        ("key-location", "The header says that its keys are elsewhere than at the authority."),
        ("expiry", "The token has expired, or does not say when."), ("not-before", "The token is not valid yet."),
        ("attestation-type", "The token is not of the wanted kind, by default an AMD SEV-SNP guest."),
        ("debuggable", "The guest may be debugged by its host, or the token does not say."),
        ("nonce", "The token does not repeat the nonce."), ("runtime-data", "The report was made over other runtime data."),
    ]
}
