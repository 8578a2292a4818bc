internal import ArgumentParser
internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine
#if GRPC
    internal import BrokerGRPC
#endif
internal import BrokerHTTP
internal import BrokerListeners
internal import BrokerObservability
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

struct ServeCommand: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the sidecar until SIGTERM or SIGINT.",
        discussion: "Also understands SkrSideCarArgs, Port, LogFile, LogLevel, ServerType and the flags of the original sidecar."
    ).examples("serve --config broker.json", "serve --set evidence.use=fixture")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Log in JSON (log.format=json), and print a failure to start as JSON.") var json = false

    func run(_ registry: ProviderRegistry) async throws {
        var options = options
        if json { options.set.insert("log.format=json", at: 0) }
        ProcessLimits.raiseDescriptorLimit()
        let limits = ProcessLimits.current()
        if let obstacle = limits.obstacle { throw CommandFailure(.configuration, obstacle) }
        let configuration = try options.load(registry)
        var listening = configuration.server
        listening.startsTraces = configuration.spans != nil
        let warnings = try listening.fit(limits, otherListeners: configuration.grpc.places.count)
        let sink = try LoggingSetup.bootstrap(configuration.log)
        defer { sink.flush() }
        let logger = Logger(label: "broker")
        StartUpLog.write(configuration, to: logger)
        for warning in warnings { logger.warning("\(warning)") }

        // Before anybody could know that this process is there: until it is trapped SIGHUP ends a process.
        let hangUps = await UnixSignalsSequence(trapping: .sighup)
        let signals = SignalGuard()
        defer { withExtendedLifetime(signals) {} }
        let audit = try AuditLog(configuration.audit, logger: logger)
        defer { audit?.settle() }
        var observers: [any RequestObserver] = [RequestLog(logger)]
        if let audit { observers.insert(audit, at: 0) }
        let callers = CallerGate(
            rules: configuration.callers.rules, limits: configuration.callers.limits, bearers: try configuration.callers.bearers())
        let composition = try Composition(configuration, registry: registry, logger: logger, observers: observers, callers: callers)
        defer { composition.shutdown() }
        let notifier = ServiceNotifier(ProcessEnvironment.all)
        let provenance = composition.engine.provenance.rawValue
        @Sendable func began(_ address: ListeningAddress, _ metadata: Logger.Metadata) {
            signals.listening()
            notifier?.send("READY=1")
            let common: Logger.Metadata = ["address": "\(address)", "evidence": "\(provenance)"]
            logger.notice("listening", metadata: common.merging(metadata) { first, _ in first })
        }
        var frontEnds: [any Service] = []
        if listening.http != nil || listening.unix != nil {
            let profile = listening.profile.rawValue
            frontEnds.append(
                HTTPFrontEnd(
                    engine: composition.engine, options: listening, logger: logger,
                    onListening: { began($0, ["profile": "\(profile)"]) },
                    onAnswer: { [metrics = composition.metrics] in metrics.answered(route: $0.route, status: $0.status) }))
        }
        #if GRPC
            if !configuration.grpc.places.isEmpty {
                var options = configuration.grpc
                (options.connectionLimit, options.startsTraces) = (listening.connectionLimit, listening.startsTraces)
                options.totalMessageLimit = listening.totalBodyLimit
                frontEnds.append(
                    GRPCFrontEnd(
                        engine: composition.engine, provider: try composition.keyProvider(configuration.keyProvider), options: options,
                        logger: logger, onListening: { began($0, ["interface": "grpc"]) },
                        onAnswer: { [metrics = composition.metrics] in metrics.answered(method: $0.method, code: $0.code) }))
            }
        #endif
        composition.start()
        composition.metrics.registry.collect { [MetricSample("broker_log_lines_dropped", value: Double(sink.droppedLines))] }
        if let audit { composition.metrics.watch(audit) }
        if let tls = listening.tls ?? configuration.grpc.tls { composition.metrics.watch(certificate: tls.certificate) }
        // Each with a name: the group would describe the service, with everything that is in it.
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = frontEnds.map {
            .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup, serviceName: "listeners")
        }
        services.append(
            .init(
                service: HangUpService(
                    signals: hangUps, engine: composition.engine, sink: sink, audit: audit,
                    load: { [options] in try options.load(registry) }, logger: logger),
                successTerminationBehavior: .ignore, serviceName: "SIGHUP"))
        services += Self.companions(of: composition, configuration, notifier, logger)
        let group = ServiceGroup(
            configuration: .init(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        defer { notifier?.send("STOPPING=1") }
        do { try await group.run() } catch { throw CommandFailure(.impossible, "the server stopped: \(error)") }
        logger.notice("stopped")
    }
}
