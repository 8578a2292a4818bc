internal import Waiting
internal import AzureServices
internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine
#if GRPC
    internal import BrokerGRPC
#endif
internal import BrokerHTTP
internal import BrokerObservability
internal import CurlTransport
internal import HTTPTransport
internal import InputReading
internal import Logging
internal import OpenSSLCrypto
internal import SNPVerification

/// Everything that a configuration stands for, put together: transport, identity, providers, engine.
struct Composition {
    let engine: BrokerEngine
    /// What the providers were made with.
    let host: HostServices
    let keyStores: [NamedProvider<any KeyStore>]
    /// The verifier's authority for requests that name none.
    let authority: Endpoint?
    /// Health of the services, as the requests of this process found it.
    let upstreams: ResilientTransport
    let metrics: BrokerMetrics
    /// The writer of spans, where they are exported.
    let spans: SpanExporter?
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
        let metrics = BrokerMetrics(stores: configuration.keyStores.map(\.name), routes: HTTPFrontEnd.routes, methods: Self.methods)
        self.metrics = metrics
        let curl = transport
        spans = configuration.spans.map {
            SpanExporter($0, transport: curl, version: ProgramVersion.text, logger: logger)
        }
        var watching: [any UpstreamObserver] = [metrics]
        if let spans { watching.append(spans) }
        upstreams = ResilientTransport(transport, observers: watching)
        let clock = SystemClock()
        var identity = configuration.identity
        identity.isConfidentialGroup = ConfidentialGroup.isPresent(environment: environment)
        host = HostServices(
            transport: upstreams,
            accessTokens: try makeAccessTokenSource(
                identity, environment: environment, transport: upstreams, clock: clock, logger: logger,
                onToken: { metrics.set("broker_access_token_expiry_timestamp_seconds", Double($0)) }), trust: trust,
            cloud: identity.cloud.rawValue, products: try Self.products(configuration.productsFile), clock: clock, logger: logger)

        var keyStores: [NamedProvider<any KeyStore>] = []
        for chosen in configuration.keyStores { keyStores.append(try Self.make(chosen, from: registry.keyStores, host)) }
        self.keyStores = keyStores
        let verifiers = try Verifiers(configuration, registry, host)
        authority = verifiers.issuer.provider.defaultAuthority
        do { _ = try trust.store() } catch { throw Self.unconnected(error) }
        var told: [any RequestObserver] = [metrics]
        if let spans { told.append(spans) }
        engine = BrokerEngine(
            evidence: try Self.make(configuration.evidence, from: registry.evidence, host), verifier: verifiers.issuer,
            keyStores: keyStores, judges: verifiers.judges, rule: verifiers.rule, wrappingKeys: wrappingKeys,
            options: configuration.engine, upstreams: upstreams, clock: clock, logger: logger, observers: observers + told, callers: callers
        )
        watch(configuration)
    }

    private static var methods: [String] {
        #if GRPC
            GRPCFrontEnd.methods
        #else
            []
        #endif
    }

    /// The key provider, with the public keys that the configuration names files of.
    func keyProvider(_ configuration: BrokerConfiguration.KeyProvider) throws -> KeyProviderService {
        var keys: [String: PublicKey] = [:]
        for (kid, file) in configuration.publicKeyFiles {
            keys[kid] = try InputFile.readOne(file, as: PublicKeyInput.kind, limit: 256 * 1024)
        }
        return KeyProviderService(
            engine,
            .init(name: configuration.name, keys: configuration.keys, publicKeys: keys, endpoints: configuration.endpoints))
    }

    /// Makes wrapping keys ahead of time, in the background.
    func start() { wrappingKeys.fill() }

    /// Figures that are looked up when somebody asks for them.
    private func watch(_ configuration: BrokerConfiguration) {
        let (engine, spans) = (engine, spans)
        let sessions = configuration.engine.session == nil ? "off" : "on"
        metrics.watch(upstreams)
        metrics.registry.collect {
            let load = engine.load
            return [
                MetricSample("broker_build", ProgramVersion.text, engine.provenance.rawValue, sessions, value: 1),
                MetricSample("broker_releases_running", value: Double(load.releasesRunning)),
                MetricSample("broker_releases_waiting", value: Double(load.releasesWaiting)),
                MetricSample("broker_release_sessions_open", value: Double(load.sessionsOpen)),
                MetricSample("broker_shared_releases_running", value: Double(load.sharedRunning)),
                MetricSample("broker_shared_releases_waiting", value: Double(load.sharedWaiting)),
                MetricSample("broker_wrapping_keys_ready", value: Double(load.wrappingKeysReady)),
                MetricSample("broker_wrapping_keys_awaited", value: Double(load.wrappingKeysAwaited)),
                MetricSample("broker_verifier_disagreements", value: Double(engine.disagreementCount)),
            ] + (spans.map { [MetricSample("broker_spans_dropped", value: Double($0.droppedSpans))] } ?? [])
        }
    }

    func shutdown() {
        engine.endSessions()
        wrappingKeys.shutdown()
        transport.shutdown()
    }

    private static func products(_ file: String?) throws(BrokerError) -> ProductTable {
        guard let file else { return .builtIn }
        do { return try ProductFile.apply(BoundedFile.read(file, limit: ProductFile.maximumBytes)) } catch {
            throw BrokerError(.misconfigured, at: .startup, "evidence.products-file: \(file): \(error)")
        }
    }

    private static func unconnected(_ error: any Error) -> BrokerError {
        BrokerError(.misconfigured, at: .startup, "outbound connections cannot be set up: \(error)", cause: error)
    }

    /// The verifier that issues tokens, and those that judge beside it.
    private struct Verifiers {
        let issuer: NamedProvider<any Verifier>
        let judges: [NamedProvider<any EvidenceJudge>]
        let rule: VerifierRule

        init(_ configuration: BrokerConfiguration, _ registry: ProviderRegistry, _ host: HostServices) throws(BrokerError) {
            var issuers: [NamedProvider<any Verifier>] = []
            var judges: [NamedProvider<any EvidenceJudge>] = []
            for chosen in configuration.verifiers {
                let made = try Composition.make(chosen, from: registry.verifiers, host)
                if let judge = made.provider as? any EvidenceJudge {
                    judges.append(NamedProvider(made.name, judge))
                } else {
                    issuers.append(made)
                }
            }
            guard issuers.count <= 1 else {
                let names = issuers.map(\.name).joined(separator: ", ")
                throw BrokerError(.misconfigured, at: .startup, "verifier.use: one verifier issues tokens, not \(names)")
            }
            guard let issuer = issuers.first ?? judges.first.map({ NamedProvider($0.name, $0.provider as any Verifier) }) else {
                throw BrokerError(.misconfigured, at: .startup, "verifier.use names no verifier")
            }
            if issuers.isEmpty {
                host.logger.warning("verifier.use names none that issues tokens: evidence is judged, and no key can be released")
            }
            self.issuer = issuer
            self.judges = judges
            rule =
                switch configuration.verifierRule {
                case .all: .all
                case .any: .any
                case .primary: .primary(judges: configuration.verifiers.first?.name != issuer.name || issuers.isEmpty)
                }
        }
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
