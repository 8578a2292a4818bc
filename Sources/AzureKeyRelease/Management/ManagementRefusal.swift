internal import AzureServices
internal import BrokerCore
internal import HTTPTransport

extension BrokerError {
    /// A key store's no to an import, a list or a read, about all keys where there is no name (KeyStores.md, "Refusals").
    static func management(_ response: HTTPResponse, of store: Endpoint, about name: KeyName?) -> BrokerError {
        let code: Code =
            switch response.status {
            case 401: .identityFailed
            case 400, 403, 409: .releaseDenied
            case 404: .keyNotFound
            default: response.brokerCode
            }
        let said = Upstream(status: response.status, body: response.body).body
        return UpstreamRefusal(response, of: "\(store)", at: code == .identityFailed ? .identity : .release).error(
            code, "\(store) answered \(response.status) about \(name.map { "key \($0)" } ?? "its keys"): \(said)")
    }
}
