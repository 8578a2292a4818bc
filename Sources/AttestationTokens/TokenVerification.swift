package import PlainText
internal import ReleasePolicy
package import JOSE
internal import OpenSSLCrypto
internal import StrictJSON

/// What makes a token believable, check by check (AttestationService.md, "Token", "Claims" and "Published keys"): the rules of the broker's
/// verifier and of `token verify`.
package struct TokenVerification: Sendable {
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
        /// Whether a token without any nonce is refused where one was sent.
        package var requiresNonce = true
        /// The runtime data that the report must commit to and that the token must repeat where it is a document; `nil` does not look.
        package var runtimeData: RuntimeDataForm?
        /// The raw report that was sent; `nil` does not look at it.
        package var report: [UInt8]?
        package var allowsDebug = false
        /// What the token must be about; the broker's verifier accepts `sevsnpvm` alone.
        package var kind = MAAToken.Kind.sevsnpvm

        package init(authority: String, time: Int64) {
            self.authority = authority
            self.time = time
        }
    }

    package private(set) var checks: [Check] = []

    package var isVerified: Bool { checks.allSatisfy(\.ok) }
    package var failures: [String] { checks.failures }

    /// Makes every check; one that fails stops none. `keys` are the authority's, `nil` where none is known.
    package init(_ token: MAAToken, keys: JWKSet?, demands: Demands) {
        checkSignature(token.jws, keys)
        checkOrigin(token, demands)
        checkTimes(token, demands)
        let hardware = token.hardwareClaims(demands.kind)
        checkKind(token, hardware, demands)
        checkNonce(token, demands)
        checkBinding(hardware, demands)
    }

    private mutating func add(_ code: String, _ ok: Bool, _ detail: String) { checks.append(Check(code, ok, detail)) }

    private mutating func checkSignature(_ jws: JWS, _ keys: JWKSet?) {
        let algorithm = VisibleText.quoted(jws.algorithm)
        add("algorithm", jws.algorithm == JWSAlgorithm.rs256.rawValue, "\(algorithm); only RS256 is accepted")
        let kid = jws.keyID ?? ""
        let candidates = kid.isEmpty ? [] : keys?.keys(withID: kid) ?? []
        add(
            "signing-key", !candidates.isEmpty,
            kid.isEmpty
                ? "the header names no key (kid)"
                : "key \(VisibleText.quoted(kid)) is \(candidates.isEmpty ? "not " : "")among the \(keys?.keys.count ?? 0) published"
                    + (candidates.isEmpty ? keys?.skipped.prefix(3).map { "; skipped: \($0)" }.joined() ?? "" : ""))
        let isSigned = candidates.contains { (try? jws.verify(with: $0.publicKey, algorithm: .rs256)) != nil }
        add("signature", isSigned, isSigned ? "made with the published key" : "does not verify with a published RSA key")
    }

    private mutating func checkOrigin(_ token: MAAToken, _ demands: Demands) {
        add(
            "issuer", token.issuer.utf8.elementsEqual(demands.authority.utf8),
            "\(VisibleText.quoted(token.issuer)), wanted \(VisibleText.quoted(demands.authority))")
        if let location = token.jws.header.text("jku") {
            let isOwn = location.utf8.elementsEqual("\(demands.authority)/certs".utf8)
            add("key-location", isOwn, "jku \(VisibleText.quoted(location)) is \(isOwn ? "" : "not ")the authority's; it is never followed")
        }
    }

    private mutating func checkTimes(_ token: MAAToken, _ demands: Demands) {
        if let end = token.expiry {
            let ok = end > demands.time &- demands.clockSkew
            add("expiry", ok, ok ? "still valid" : "expired \(demands.time &- end) seconds ago; check the clock")
        } else {
            add("expiry", false, "no exp, or no whole number")
        }
        switch token.claims["nbf"] {
        case .integer(let start)?:
            let ok = start <= demands.time &+ demands.clockSkew
            add("not-before", ok, ok ? "already valid" : "valid in \(start &- demands.time) seconds only; check the clock")
        case nil: break
        default: add("not-before", false, "nbf is no whole number")
        }
    }

    private mutating func checkKind(_ token: MAAToken, _ hardware: JSONObject, _ demands: Demands) {
        let type = token.claims["x-ms-attestation-type"]
        let isSNP = hardware["x-ms-attestation-type"] == .string(MAAToken.Kind.sevsnpvm.rawValue)
        let ok = type == .string(demands.kind.rawValue) && isSNP
        add(
            "attestation-type", ok,
            "\(type.map(VisibleText.value) ?? "none"), wanted \(demands.kind.rawValue)\(isSNP ? "" : " of AMD SEV-SNP")")
        switch hardware["x-ms-sevsnpvm-is-debuggable"] {
        case .boolean(false)?: add("debuggable", true, "the host cannot read the guest's memory")
        case .boolean(true)?: add("debuggable", demands.allowsDebug, "the host can read the guest's memory")
        case nil: add("debuggable", demands.allowsDebug, "the token does not say whether the guest may be debugged")
        default: add("debuggable", false, "x-ms-sevsnpvm-is-debuggable is neither true nor false")
        }
    }

    private mutating func checkNonce(_ token: MAAToken, _ demands: Demands) {
        guard let nonce = demands.nonce else { return }
        if let claim = token.claims["nonce"] {
            let ok = claim == .string(nonce)
            add("nonce", ok, ok ? "the nonce that was sent" : "not the nonce that was sent")
        } else {
            add("nonce", !demands.requiresNonce, "the token repeats no nonce")
        }
    }

    /// That the token is about the runtime data and the report that were sent.
    private mutating func checkBinding(_ hardware: JSONObject, _ demands: Demands) {
        if let data = demands.runtimeData {
            var complaints: [String] = []
            let digest = Hex.encode(DigestAlgorithm.sha256.digest(data.bytes))
            let claimed = hardware["x-ms-sevsnpvm-reportdata"]
            if data.document == nil, demands.report != nil {
                // What opaque bytes are to the report, only the caller knows; below, the claim has to be the report's.
                if claimed == nil { complaints.append("no x-ms-sevsnpvm-reportdata binds it") }
            } else if claimed != .string(digest + String(repeating: "0", count: 64)) {
                complaints.append("x-ms-sevsnpvm-reportdata is not its SHA-256 (\(digest)) followed by zeros")
            }
            if let document = data.document, hardware["x-ms-runtime"].map(document.means) != true {
                complaints.append("x-ms-runtime is not the document")
            }
            add(
                "runtime-data", complaints.isEmpty,
                complaints.isEmpty ? "bound by the report data" : complaints.joined(separator: "; "))
        }
        if let report = demands.report {
            let differing = Self.reportFields.filter { claim, field in
                guard report.count >= field.upperBound, let claimed = hardware[claim] else { return false }
                return claimed != .string(Hex.encode(report[field]))
            }.map(\.claim)
            add(
                "report", differing.isEmpty,
                differing.isEmpty ? "the report that was sent" : "another report than was sent: \(differing.joined(separator: ", "))")
        }
    }

    /// Claims that repeat a field of the report, with its place (AMD 56860, "ATTESTATION_REPORT"). A policy may leave them out.
    private static let reportFields: [(claim: String, field: Range<Int>)] = [
        ("x-ms-sevsnpvm-reportdata", 0x50..<0x90), ("x-ms-sevsnpvm-launchmeasurement", 0x90..<0xC0),
        ("x-ms-sevsnpvm-hostdata", 0xC0..<0xE0),
    ]

    /// The codes and what each means when it fails.
    package static let meanings: [(code: String, meaning: String)] = [
        ("algorithm", "The token is not signed with RS256."),
        ("signing-key", "The authority does not publish the key that the header names."), ("signature", "The signature does not verify."),
        ("issuer", "The token comes from another authority; the texts are compared exactly."),
        ("key-location", "The header says that its keys are elsewhere than at the authority."),
        ("expiry", "The token has expired, or does not say when."), ("not-before", "The token is not valid yet."),
        ("attestation-type", "The token is not of the wanted kind, by default an AMD SEV-SNP guest."),
        ("debuggable", "The guest may be debugged by its host, or the token does not say."),
        ("nonce", "The token does not repeat the nonce."),
        ("runtime-data", "The report was made over other runtime data, or the token repeats other data."),
        ("report", "The token is about another report than the one that was sent."),
    ]
}
