#if Simulators && FixtureEvidence
    internal import AzureSimulators
    internal import BrokerConfiguration
    internal import BrokerCore
    internal import BrokerHTTP
    internal import BrokerListeners
    internal import Logging
    internal import PlainText
    internal import ServiceLifecycle
    internal import SNPReport
    internal import StrictJSON
    internal import Synchronization

    /// A broker inside the demo, made from a configuration file's content as `serve` makes it.
    final class DemoBroker: Sendable {
        private let composition: Composition
        private let group: ServiceGroup
        private let ports: AsyncStream<Int>
        private let listening: AsyncStream<Int>.Continuation

        init(_ cloud: LocalCloud, _ simulators: SimulatorPorts, _ registry: ProviderRegistry, debug: Bool, port: Int, logger: Logger) throws
        {
            let file = cloud.brokerConfiguration(simulators, product: .milan, debug: debug).serialized()
            let configuration = try BrokerConfiguration.load(
                ConfigurationInputs(
                    file: ConfigurationFile(name: "demo", bytes: file),
                    overrides: [SettingOverride(path: "server.http", text: "127.0.0.1:\(port)")]), registry: registry)
            composition = try Composition(configuration, registry: registry, environment: [:], logger: logger)
            let (ports, continuation) = AsyncStream<Int>.makeStream(bufferingPolicy: .bufferingNewest(1))
            self.ports = ports
            listening = continuation
            let composition = composition
            let frontEnd = HTTPFrontEnd(
                engine: composition.engine, options: configuration.server, logger: logger,
                onListening: { address in
                    if case .tcp(let address) = address { continuation.yield(address.port) }
                    composition.start()
                })
            group = ServiceGroup(
                configuration: .init(
                    services: [.init(service: frontEnd, successTerminationBehavior: .gracefullyShutdownGroup)], logger: logger))
        }

        func run() async throws {
            defer {
                composition.shutdown()
                listening.finish()
            }
            try await group.run()
        }

        func stop() async { await group.triggerGracefulShutdown() }

        private let known = Mutex<Int?>(nil)

        /// The port that the broker listens on; waits until it does. Throws when it ended before that.
        var port: Int {
            get async throws {
                if let port = known.withLock({ $0 }) { return port }
                for await port in ports {
                    known.withLock { $0 = port }
                    return port
                }
                throw CommandFailure(
                    .impossible, "the demo's broker cannot listen", nextStep: "is the port taken? without --port it picks a free one")
            }
        }
    }
#endif
