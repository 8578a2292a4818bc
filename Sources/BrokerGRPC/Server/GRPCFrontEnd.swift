package import BrokerConfiguration
internal import BrokerCore
package import BrokerEngine
package import BrokerListeners
internal import GRPCCore
package import Logging
internal import ServiceLifecycle

/// The gRPC interface of the broker: the key provider for container tools, the original's service, health and reflection.
///
/// As a `Service` it runs until its task is cancelled or a graceful shutdown begins. Then it stops listening at once, lets calls finish for
/// `GRPCFrontEndOptions.drainTimeout`, cuts what is left and returns.
package struct GRPCFrontEnd: Service {
    /// One answer, refusals that never reached the engine included.
    package struct Answered: Sendable {
        /// One of `methods`.
        package let method: String
        /// The broker's code, or `ok`.
        package let code: String
    }

    /// Paths of the unary methods.
    package static var methods: [String] { KeyProviderMethods.paths + HealthMethods.paths }

    private let engine: any GRPCEngine
    private let provider: KeyProviderService
    private let options: GRPCFrontEndOptions
    private let logger: Logger
    private let onListening: @Sendable (ListeningAddress) async -> Void
    private let onAnswer: @Sendable (Answered) -> Void

    /// - Parameters:
    ///   - logger: gets one line at `info` for each call.
    ///   - onListening: called once for each listener as soon as it accepts connections.
    ///   - onAnswer: called for each answer, sent or not.
    package init(
        engine: BrokerEngine, provider: KeyProviderService, options: GRPCFrontEndOptions, logger: Logger,
        onListening: @escaping @Sendable (ListeningAddress) async -> Void = { _ in },
        onAnswer: @escaping @Sendable (Answered) -> Void = { _ in }
    ) { self.init(grpcEngine: engine, provider: provider, options: options, logger: logger, onListening: onListening, onAnswer: onAnswer) }

    init(
        grpcEngine: any GRPCEngine, provider: KeyProviderService, options: GRPCFrontEndOptions, logger: Logger,
        onListening: @escaping @Sendable (ListeningAddress) async -> Void = { _ in },
        onAnswer: @escaping @Sendable (Answered) -> Void = { _ in }
    ) {
        engine = grpcEngine
        self.provider = provider
        self.options = options
        self.logger = logger
        self.onListening = onListening
        self.onAnswer = onAnswer
    }

    /// - Throws: `BrokerError` with code `misconfigured` when a listener cannot be opened.
    package func run() async throws {
        let drain = Drain()
        let callers = ConnectedCallers()
        let budget = BodyBudget(options.totalMessageLimit, longestBody: options.messageLimit)
        let services = services(drain, callers)
        // The older name of HTTP/2 under gRPC is what old clients of the C core offer too.
        let tls = try options.tls.map { (files) throws(BrokerError) in try ServerTLS(files, protocols: ["grpc-exp", "h2"]) }
        let listeners = options.places.map { place in
            var isTCP = false
            if case .tcp = place { isTCP = true }
            return GRPCListener(
                place: place, options: options, tls: isTCP ? tls : nil, callers: callers, budget: budget, services: services, drain: drain,
                logger: logger)
        }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for listener in listeners {
                group.addTask {
                    try await listener.run(onListening)
                    return true
                }
            }
            group.addTask { await self.awaitEndOfDrain() }
            var running = listeners.count
            while running > 0, let isListener = try await group.next() {
                if isListener {
                    running -= 1
                } else {
                    group.cancelAll()
                }
            }
            group.cancelAll()
        }
    }

    /// Returns when the time for calls in progress is over, or everything has ended before.
    private func awaitEndOfDrain() async -> Bool {
        do {
            try await gracefulShutdown()
            try await Task.sleep(for: options.drainTimeout)
            logger.warning(
                "calls were still running when the drain timeout passed; their connections are cut",
                metadata: ["drain_timeout": "\(options.drainTimeout)"])
        } catch {}
        return false
    }

    private func services(_ drain: Drain, _ callers: ConnectedCallers) -> [any RegistrableRPCService] {
        let runner = CallRunner(
            engine: engine, callers: callers, drain: drain, requestTimeout: options.requestTimeout, startsTraces: options.startsTraces,
            logger: logger, onAnswer: onAnswer)
        let always: [any RegistrableRPCService] = [
            KeyProviderMethods(provider: provider, runner: runner), HealthMethods(runner: runner),
        ]
        return options.hasReflection ? always + [ReflectionMethods()] : always
    }
}
