internal import AzureServices
internal import BrokerCore
internal import HTTPTransport

extension BrokerError {
    /// A key store's no to an action, about all keys where there is no name (KeyStores.md, "Refusals").
    static func management(_ response: HTTPResponse, of store: Endpoint, about name: KeyName?, for action: KeyAction) -> BrokerError {
        let code: Code =
            switch response.status {
            case 401: .identityFailed
            case 400, 403, 409: .releaseDenied
            case 404: .keyNotFound
            default: response.brokerCode
            }
        let challenge = BearerChallenge(response.status == 401 ? response.header("www-authenticate") ?? "" : "")
        let refusal = UpstreamRefusal(
            response, of: "\(store)", at: code == .identityFailed ? .identity : .release, for: action, hint: challenge["error_description"])
        var said = refusal.said
        if let resource = challenge["resource"] ?? challenge["scope"] { said += "; it wants a token for \(resource)" }
        let error = refusal.error(
            code, "\(store) answered \(response.status) about \(name.map { "key \($0)" } ?? "its keys"): \(said)")
        guard response.status == 401, refusal.known == nil else { return error }
        return error.explained(by: KnownFailure.named("access-token-rejected")?.details)
    }
}
