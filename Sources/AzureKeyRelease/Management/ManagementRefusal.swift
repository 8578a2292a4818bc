internal import BrokerCore
internal import HTTPTransport
internal import AzureServices
internal import StrictJSON

/// A key store's no to an import, a list or a read (KeyStores.md, "Refusals").
struct ManagementRefusal {
    let response: HTTPResponse
    let store: Endpoint
    let name: KeyName?

    init(_ response: HTTPResponse, store: Endpoint, name: KeyName?) {
        self.response = response
        self.store = store
        self.name = name
    }

    var error: BrokerError {
        let limits = JSONLimits(maximumBytes: 1 << 20, maximumDepth: 16)
        let answer = try? JSONCursor.parse(response.body, limits: limits).member("error")
        let code = try? answer?.optionalString("code")
        let inner = try? answer?.optional("innererror")?.optionalString("code")
        let message = try? answer?.optionalString("message")
        let known = KnownFailure.find(in: [message ?? nil, inner ?? nil, code ?? nil])
        let upstream = BrokerError.Upstream(status: response.status, body: response.body)
        let subject = name.map { "key \($0)" } ?? "its keys"
        return BrokerError(
            brokerCode, at: brokerCode == .identityFailed ? .identity : .release,
            "\(store) answered \(response.status) about \(subject): \(upstream.body)", retryAfter: response.retryAfter, upstream: upstream,
            details: known?.details)
    }

    private var brokerCode: BrokerError.Code {
        switch response.status {
        case 401: .identityFailed
        case 403, 409: .releaseDenied
        case 404: .keyNotFound
        case 400: .releaseDenied
        case 429: .upstreamThrottled
        case 408, 500...599: .upstreamUnavailable
        default: .upstreamInvalid
        }
    }
}
