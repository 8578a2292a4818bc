internal import ArgumentParser
internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine
internal import BrokerHTTP
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
        let warnings = try listening.fit(limits)
        let sink = try LoggingSetup.bootstrap(configuration.log)
        defer { sink.flush() }
        let logger = Logger(label: "broker")
        StartUpLog.write(configuration, to: logger)
        for warning in warnings { logger.warning("\(warning)") }

        // Before anybody could know that this process is there: until it is trapped SIGHUP ends a process.
        let hangUps = await UnixSignalsSequence(trapping: .sighup)
        let signals = SignalGuard()
        defer { withExtendedLifetime(signals) {} }
        let composition = try Composition(configuration, registry: registry, logger: logger)
        defer { composition.shutdown() }
        let frontEnd = HTTPFrontEnd(
            engine: composition.engine, options: listening, logger: logger,
            onListening: { address in
                signals.listening()
                logger.notice(
                    "listening",
                    metadata: [
                        "address": "\(address)", "evidence": "\(composition.engine.provenance.rawValue)",
                        "profile": "\(configuration.server.profile.rawValue)",
                    ])
            })
        composition.start(logger: logger)
        // Each with a name: the group would describe the service, with everything that is in it.
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: frontEnd, successTerminationBehavior: .gracefullyShutdownGroup, serviceName: "listeners"),
                    .init(
                        service: HangUpService(signals: hangUps, engine: composition.engine, sink: sink, logger: logger),
                        successTerminationBehavior: .ignore,
                        serviceName: "SIGHUP"),
                ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        do { try await group.run() } catch { throw CommandFailure(.impossible, "the server stopped: \(error)") }
        logger.notice("stopped")
    }
}

/// SIGHUP ends the release sessions, so that the next release proves this machine anew, and opens `log.file` again.
private struct HangUpService: Service {
    let signals: UnixSignalsSequence
    let engine: BrokerEngine
    let sink: LogSink
    let logger: Logger

    func run() async throws {
        for await _ in signals.cancelOnGracefulShutdown() {
            sink.reopen()
            logger.notice("SIGHUP: release sessions ended", metadata: ["sessions": "\(engine.endSessions())"])
        }
    }
}
