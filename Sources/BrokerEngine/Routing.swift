internal import BrokerCore
internal import HTTPTransport

extension BrokerEngine {
    /// The authority to ask: the one that the request names, if the verifier speaks to it, otherwise the configured one.
    func chooseAuthority(_ named: Endpoint?) throws(BrokerError) -> Endpoint {
        if let named {
            guard verifier.provider.accepts(named) else {
                throw BrokerError(
                    .noProvider, at: .route,
                    "verifier '\(verifier.name)' does not speak to \(named); add it to the configuration if it is meant")
            }
            return named
        }
        guard let configured = verifier.provider.defaultAuthority else {
            throw BrokerError(
                .invalidRequest, at: .route,
                "the request names no maa_endpoint and the configuration has no verifier.\(verifier.name).endpoint")
        }
        return configured
    }

    /// The store to ask. An endpoint belongs to exactly one configured store, or the request goes nowhere.
    func chooseStore(_ named: Endpoint?) throws(BrokerError) -> (store: NamedProvider<any KeyStore>, endpoint: Endpoint) {
        if let named {
            let claiming = keyStores.filter { $0.provider.claims(named) }
            guard let store = claiming.first else {
                let names = keyStores.map { "'\($0.name)'" }.joined(separator: ", ")
                throw BrokerError(
                    .noProvider, at: .route, "none of the configured key stores (\(names)) answers for \(named); no token was sent there")
            }
            guard claiming.count == 1 else {
                let names = claiming.map { "'\($0.name)'" }.joined(separator: ", ")
                throw BrokerError(.noProvider, at: .route, "more than one key store answers for \(named): \(names)")
            }
            return (store, named)
        }
        for store in keyStores { if let endpoint = store.provider.defaultEndpoint { return (store, endpoint) } }
        let settings = keyStores.map { "key-stores.\($0.name).endpoint" }.joined(separator: " or ")
        throw BrokerError(.invalidRequest, at: .route, "the request names no akv_endpoint and the configuration has no \(settings)")
    }
}
