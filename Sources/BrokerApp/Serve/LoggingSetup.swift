internal import BrokerConfiguration
internal import BrokerObservability
internal import Logging

/// Logging of the program. Only `serve` and `simulate` log; the other commands answer on standard output.
enum LoggingSetup {
    /// Called once per process. Whoever calls it flushes the sink at the end.
    static func bootstrap(_ log: BrokerConfiguration.Log) throws -> LogSink {
        let sink: LogSink
        do {
            sink =
                try log.file.map { (path) throws(LogSink.Failure) in try LogSink.file(path, log.format, rotate: log.rotate) }
                ?? .standardError(log.format)
        } catch {
            throw CommandFailure(.configuration, "log.file: \(error)")
        }
        Telemetry.bootstrap(sink: sink, level: log.level)
        return sink
    }

    /// A logger that writes nothing, for commands.
    static func quiet() -> Logger { Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() } }
}
