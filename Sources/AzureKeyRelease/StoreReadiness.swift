internal import Waiting
internal import AzureServices
package import BrokerCore
internal import HTTPTransport

/// Whether the default store answers at all, remembered for a minute so that frequent probes cost the service nothing.
struct StoreReachability: Sendable {
    private let cache: SingleFlightCache<Endpoint, Bool>
    private let transport: any HTTPTransport

    init(transport: any HTTPTransport, clock: any WallClock) {
        cache = SingleFlightCache(capacity: 1, clock: clock, stage: .release)
        self.transport = transport
    }

    /// Any answer counts: without a token both services say 401 to what exists (KeyStores.md, "Vault and HSM").
    func obstacle(of endpoint: Endpoint, in context: RequestContext) async -> String? {
        let transport = transport
        do {
            // What was remembered while requests went well says nothing once they fail.
            let stale = transport.isFailing(endpoint) ? cache.generation(of: endpoint) : nil
            _ = try await cache.value(for: endpoint, in: context, otherThan: stale) { context throws(BrokerError) in
                let request = HTTPRequest(.get, .service(endpoint), path: "/", deadline: context.deadline, purpose: .keyStore)
                do throws(HTTPTransportError) { _ = try await transport.send(request) } catch {
                    throw BrokerError(
                        error.brokerCode, at: .release, "\(endpoint) cannot be reached: \(error)", retryAfter: error.retryAfter)
                }
                return .init(true, freshFor: .seconds(60))
            }
            return nil
        } catch { return error.message }
    }
}

extension AzureKeyStore: ReadinessReporting {
    /// The default store must answer, and the broker's own identity, where it has one, must get a token for it. Sends no token anywhere.
    package func obstacles(in context: RequestContext) async -> [String] {
        async let unreachable = storeObstacle(in: context)
        async let unidentified = identityObstacle(in: context)
        return await [unreachable, unidentified].compactMap(\.self)
    }

    private func storeObstacle(in context: RequestContext) async -> String? {
        guard let endpoint = defaultEndpoint else { return nil }
        return await reachability.obstacle(of: endpoint, in: context)
    }

    private func identityObstacle(in context: RequestContext) async -> String? {
        guard !(host.accessTokens is NoIdentity) else { return nil }
        do {
            _ = try await host.accessTokens.accessToken(for: audience, in: context)
            return nil
        } catch { return error.message }
    }
}
