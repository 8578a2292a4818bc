internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine
internal import BrokerObservability
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// What SIGHUP does: reads the rules about callers again, ends the release sessions, so that the next release proves this machine anew, and
/// opens `log.file` and `audit.file` again. No request is dropped.
struct HangUpService: Service {
    /// Trapped early: until then SIGHUP ends the process.
    let signals: UnixSignalsSequence
    let engine: BrokerEngine
    let sink: LogSink
    let audit: AuditLog?
    /// Reads the whole configuration anew.
    let load: @Sendable () throws -> BrokerConfiguration
    let logger: Logger

    func run() async throws {
        for await _ in signals.cancelOnGracefulShutdown() {
            sink.reopen()
            audit?.reopen()
            reloadCallers()
            logger.notice("SIGHUP: release sessions ended", metadata: ["sessions": "\(engine.endSessions())"])
        }
    }

    /// A configuration that cannot be used changes nothing: the rules that are in force stay.
    private func reloadCallers() {
        do {
            let callers = try load().callers
            engine.callers.replace(rules: callers.rules, limits: callers.limits, bearers: try callers.bearers())
            StartUpLog.write(callers, to: logger)
        } catch {
            let problems = (error as? CommandFailure)?.lines.joined(separator: "; ") ?? "\(error)"
            logger.error(
                "SIGHUP: the configuration cannot be used; the rules about callers stay as they are", metadata: ["error": "\(problems)"])
        }
    }
}

extension BrokerConfiguration.Callers {
    /// The tokens of `callers.bearer-file`; `nil` for none.
    func bearers() throws(CommandFailure) -> BearerTokens? {
        do throws(BoundedFile.Failure) {
            return try bearerFile.map { (path) throws(BoundedFile.Failure) in try BearerTokens(file: path) }
        } catch { throw CommandFailure(.configuration, "callers.bearer-file: \(error)") }
    }
}

extension AuditLog {
    /// The audit that the configuration asks for, with its file open. What is in the way only now, as a full disk, keeps answers back and
    /// not the start.
    convenience init?(_ options: BrokerConfiguration.Audit?, logger: Logger) throws(CommandFailure) {
        guard let options else { return nil }
        let key: AuditKey?
        do throws(BoundedFile.Failure) {
            key = try options.keyFile.map { (path) throws(BoundedFile.Failure) in try AuditKey(file: path) }
        } catch { throw CommandFailure(.configuration, "audit.key-file: \(error)") }
        self.init(
            path: options.file, maximumSize: options.maximumSize, key: key, flush: options.flush, isRequired: options.isRequired,
            logger: logger)
        if let obstacle = start(), !statistics.mayPass { throw CommandFailure(.configuration, "audit.file: \(obstacle)") }
    }
}
