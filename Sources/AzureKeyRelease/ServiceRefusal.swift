internal import BrokerCore
internal import HTTPTransport
internal import AzureServices
internal import PlainText
internal import StrictJSON

/// An error answer of a key store to a release (KeyStores.md, "Refusals" and "Bearer challenge").
struct ServiceRefusal {
    private let status: Int
    private let refusal: UpstreamRefusal
    private let challenge: BearerChallenge
    private let key: KeyReference

    init(_ response: HTTPResponse, key: KeyReference) {
        status = response.status
        challenge = BearerChallenge(response.status == 401 ? response.header("www-authenticate") ?? "" : "")
        refusal = UpstreamRefusal(response, of: "\(key.store)", at: .release, hint: challenge["error_description"])
        self.key = key
    }

    /// What the catalogue knows about the answer.
    var known: KnownFailure? { refusal.known }

    /// Whether the store's no may be about the key's release policy.
    var mayBeAboutPolicy: Bool {
        guard status == 403 else { return false }
        guard let known else { return true }
        return ["policy-not-satisfied", "token-not-verified"].contains(known.cause)
    }

    var error: BrokerError {
        let store = key.store
        let said = refusal.said
        switch status {
        case 401: return refusal.error(.identityFailed, at: .identity, unauthorized)
        case 403: return refusal.error(.releaseDenied, "\(store) refuses to release \(key.name)\(denialKind): \(said)")
        case 404: return refusal.error(.keyNotFound, "\(store) has no key \(key.name): \(said)")
        case 400:
            return refusal.error(
                isAboutRelease ? .releaseDenied : .invalidRequest, "\(store) rejects the release of \(key.name): \(said)\(hint)")
        case 409: return refusal.error(.releaseDenied, "\(store) cannot release \(key.name) in its present state: \(said)")
        default: return refusal.error
        }
    }

    private var message: String? { refusal.message }

    /// The service says "Forbidden" for four different reasons; the next step depends on which.
    private var denialKind: String {
        switch refusal.innerCode ?? "" {
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
        var text = "\(key.store) does not accept the access token"
        if let reason = challenge["error_description"] ?? message { text += " (\(reason))" }
        if let resource = challenge["resource"] ?? challenge["scope"] { text += "; it wants one for \(resource)" }
        if let authority = challenge["authorization"] ?? challenge["authorization_uri"] { text += " issued by \(authority)" }
        return text + ". Tokens of Key Vault and Managed HSM are not interchangeable"
    }
}
