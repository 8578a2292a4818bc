internal import BrokerCore
internal import HTTPTransport
internal import AzureServices
internal import PlainText
internal import StrictJSON

/// An error answer of a key store, turned into words and a code (KeyStores.md, "Refusals").
struct ServiceRefusal {
    private let response: HTTPResponse
    private let kind: KeyStoreKind
    private let key: KeyReference
    private let code: String?
    private let innerCode: String?
    private let message: String?

    init(_ response: HTTPResponse, kind: KeyStoreKind, key: KeyReference) {
        self.response = response
        self.kind = kind
        self.key = key
        let limits = JSONLimits(maximumBytes: AzureKeyStore.maximumAnswerBytes, maximumDepth: 16)
        let error = try? JSONCursor.parse(response.body, limits: limits).member("error")
        code = UpstreamText.line(try? error?.optionalString("code"), limit: 80)
        innerCode = UpstreamText.line(try? error?.optional("innererror")?.optionalString("code"), limit: 80)
        message = UpstreamText.line(try? error?.optionalString("message"), limit: 800)
    }

    /// What the catalogue knows about the answer.
    var known: KnownFailure? {
        let challenge = response.status == 401 ? BearerChallenge(response.header("www-authenticate") ?? "") : nil
        // The special words first: a code such as Forbidden is shared by many reasons.
        return KnownFailure.find(in: [message, innerCode, code, challenge?["error_description"]])
    }

    /// Whether the store's no may be about the key's release policy.
    var mayBeAboutPolicy: Bool {
        guard response.status == 403 else { return false }
        guard let known else { return true }
        return ["policy-not-satisfied", "token-not-verified"].contains(known.cause)
    }

    var error: BrokerError {
        let store = key.store
        switch response.status {
        case 401: return make(.identityFailed, at: .identity, unauthorized)
        case 403: return make(.releaseDenied, "\(store) refuses to release \(key.name)\(denialKind): \(said)")
        case 404: return make(.keyNotFound, "\(store) has no key \(key.name): \(said)")
        case 400:
            return make(isAboutRelease ? .releaseDenied : .invalidRequest, "\(store) rejects the release of \(key.name): \(said)\(hint)")
        case 409: return make(.releaseDenied, "\(store) cannot release \(key.name) in its present state: \(said)")
        case 429: return make(.upstreamThrottled, "\(store) asks for fewer requests")
        case 408, 500...599: return make(.upstreamUnavailable, "\(store) answered \(response.status): \(said)")
        case 300...399: return make(.upstreamInvalid, "\(store) redirects (\(response.status)); redirects are not followed")
        default: return make(.upstreamInvalid, "\(store) answered \(response.status): \(said)")
        }
    }

    private func make(_ code: BrokerError.Code, at stage: BrokerError.Stage = .release, _ words: String) -> BrokerError {
        BrokerError(
            code, at: stage, words, retryAfter: response.retryAfter, upstream: .init(status: response.status, body: response.body),
            details: known?.details)
    }

    private var said: String {
        let known = [code, innerCode].compactMap(\.self).joined(separator: "/")
        guard let message else { return known.isEmpty ? "no reason given" : known }
        return known.isEmpty ? message : "\(known): \(message)"
    }

    /// The service says "Forbidden" for four different reasons; the next step depends on which.
    private var denialKind: String {
        switch innerCode ?? "" {
        case "ForbiddenByRbac", "AccessDenied", "ForbiddenByPolicy": return " (the caller lacks the release permission)"
        case "ForbiddenByFirewall", "ForbiddenByConnection": return " (network rules)"
        case "KeyDisabled": return " (the key is disabled)"
        default: break
        }
        if message?.contains("Target environment attestation") == true {
            return " (the attestation token does not satisfy the key's release policy, or its issuer is not accepted)"
        }
        if message?.contains("permission") == true || message?.contains("not authorized") == true {
            return " (the caller lacks the release permission)"
        }
        return ""
    }

    /// Whether a 400 is about this key and token, not about the form of the request.
    private var isAboutRelease: Bool {
        guard let message = message?.lowercased() else { return false }
        return ["akv.skr.", "attest", "export", "release polic"].contains { message.contains($0) }
    }

    private var hint: String { message?.contains("AKV.SKR.1001") == true ? "; the key must live in a premium vault" : "" }

    private var unauthorized: String {
        let challenge = BearerChallenge(response.header("www-authenticate") ?? "")
        var text = "\(key.store) does not accept the access token"
        if let reason = challenge["error_description"] ?? message { text += " (\(reason))" }
        if let resource = challenge["resource"] ?? challenge["scope"] { text += "; it wants one for \(resource)" }
        if let authority = challenge["authorization"] ?? challenge["authorization_uri"] { text += " issued by \(authority)" }
        return text + ". Tokens of Key Vault and Managed HSM are not interchangeable"
    }
}
