import ArgumentParser
import BrokerConfiguration
import BrokerCore
import BrokerEngine
import BrokerHTTP
import Logging
import ServiceLifecycle
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the sidecar until SIGTERM or SIGINT.",
        discussion:
            "Also understands SkrSideCarArgs, Port, LogFile, LogLevel, ServerType and the flags of the original sidecar."
    )

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        try await Self.run(options.arguments)
    }

    static func run(_ arguments: ConfigurationArguments) async throws {
        let registry = try builtInProviders()
        let configuration = try arguments.load(registry)
        try LoggingSetup.bootstrap(configuration.log)
        let logger = Logger(label: "broker")
        StartUpLog.write(configuration, to: logger)

        let composition = try Composition(configuration, registry: registry, logger: logger)
        defer { composition.shutdown() }
        let frontEnd = HTTPFrontEnd(
            engine: composition.engine, options: HTTPFrontEndOptions(configuration.server), logger: logger,
            onListening: { address in
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
                    .init(
                        service: frontEnd, successTerminationBehavior: .gracefullyShutdownGroup,
                        serviceName: "listeners"
                    ),
                    .init(
                        service: HangUpService(engine: composition.engine, logger: logger),
                        successTerminationBehavior: .ignore, serviceName: "SIGHUP"),
                    .init(
                        service: IdleMemory(engine: composition.engine), successTerminationBehavior: .ignore,
                        serviceName: "idle memory"),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        do {
            try await group.run()
        } catch {
            throw CommandFailure(.impossible, "the server stopped: \(error)")
        }
        logger.notice("stopped")
    }
}

extension HTTPFrontEndOptions {
    init(_ server: BrokerConfiguration.Server) {
        self.init(
            tcp: server.http.map { TCPAddress(host: $0.host, port: $0.port) }, unixSocketPath: server.unix,
            profile: server.profile == .precise ? .precise : .compatible, bodyLimit: server.bodyLimit,
            headerTimeout: server.headerTimeout, bodyTimeout: server.bodyTimeout, idleTimeout: server.idleTimeout,
            connectionLimit: server.connectionLimit, drainTimeout: server.drainTimeout)
    }
}

/// SIGHUP ends the release sessions: the next release proves this machine anew.
private struct HangUpService: Service {
    let engine: BrokerEngine
    let logger: Logger

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() {
            logger.notice("SIGHUP: release sessions ended", metadata: ["sessions": "\(engine.endSessions())"])
        }
    }
}
