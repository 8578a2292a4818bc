internal import Waiting
internal import AzureServices
internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine
internal import CurlTransport
internal import HTTPTransport
internal import Logging

/// Everything that a configuration stands for, put together: transport, identity, providers, engine.
struct Composition {
    let engine: BrokerEngine
    /// What the providers were made with.
    let host: HostServices
    let keyStores: [NamedProvider<any KeyStore>]
    /// The verifier's authority for requests that name none.
    let authority: Endpoint?
    private let transport: CurlTransport
    private let wrappingKeys: WrappingKeyPool

    /// - Parameter callers: whom the broker serves; only its own commands, where it is not given.
    ///
    /// Touches no network: a broker starts, and says that it is not ready, while its services are away.
    init(
        _ configuration: BrokerConfiguration, registry: ProviderRegistry, environment: [String: String] = ProcessEnvironment.all,
        logger: Logger, observers: [any RequestObserver] = [], callers: CallerGate = CallerGate()
    ) throws(BrokerError) {
        wrappingKeys = WrappingKeyPool(
            keyBits: configuration.wrappingKeys.size.rawValue, capacity: configuration.wrappingKeys.pool, logger: logger)
        let trust = SharedTrustStore(configuration.tls.trust)
        do {
            transport = try CurlTransport(
                .init(trust: trust.store, connectTo: configuration.tls.connectTo, userAgent: "attestation-broker/\(ProgramVersion.text)"))
        } catch { throw Self.unconnected(error) }
        let clock = SystemClock()
        var identity = configuration.identity
        identity.isConfidentialGroup = ConfidentialGroup.isPresent(environment: environment)
        host = HostServices(
            transport: transport,
            accessTokens: try makeAccessTokenSource(
                identity, environment: environment, transport: transport, clock: clock, logger: logger), trust: trust,
            cloud: identity.cloud.rawValue, clock: clock, logger: logger)

        var keyStores: [NamedProvider<any KeyStore>] = []
        for chosen in configuration.keyStores { keyStores.append(try Self.make(chosen, from: registry.keyStores, host)) }
        self.keyStores = keyStores
        let verifier = try Self.make(configuration.verifier, from: registry.verifiers, host)
        authority = verifier.provider.defaultAuthority
        do { _ = try trust.store() } catch { throw Self.unconnected(error) }
        engine = BrokerEngine(
            evidence: try Self.make(configuration.evidence, from: registry.evidence, host), verifier: verifier, keyStores: keyStores,
            wrappingKeys: wrappingKeys,
            options: configuration.engine, clock: clock, logger: logger, observers: observers,
            callers: callers)
    }

    /// Makes wrapping keys ahead of time and takes a first look at whether the providers could work, both in the background; tells the log.
    func start() {
        wrappingKeys.fill()
        let engine = engine
        Task.detached {
            // What stands in the way is said by the engine.
            _ = await engine.readiness(in: engine.makeContext(id: "start-up"))
        }
    }

    func shutdown() {
        engine.endSessions()
        wrappingKeys.shutdown()
        transport.shutdown()
    }

    private static func unconnected(_ error: any Error) -> BrokerError {
        BrokerError(.misconfigured, at: .startup, "outbound connections cannot be set up: \(error)", cause: error)
    }

    private static func make<Provider>(
        _ chosen: BrokerConfiguration.Provider, from factories: [ProviderFactory<Provider>], _ host: HostServices
    ) throws(BrokerError) -> NamedProvider<Provider> {
        guard let factory = factories.first(where: { $0.name == chosen.name }) else {
            throw BrokerError(.misconfigured, at: .startup, "provider '\(chosen.name)' is not built in")
        }
        return NamedProvider(chosen.name, try factory.make(chosen.settings, host))
    }
}
