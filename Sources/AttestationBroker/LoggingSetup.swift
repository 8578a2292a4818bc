import BrokerConfiguration
import BrokerTelemetry
import Logging

/// Logging of the program. Only `serve` and `simulate` log; the other commands answer on standard output.
enum LoggingSetup {
    /// Called once per process.
    static func bootstrap(_ log: BrokerConfiguration.Log) throws {
        let sink: LogSink
        do {
            sink = try log.file.map { (path) throws(LogSink.Failure) in try LogSink.file(path) } ?? .standardError()
        } catch {
            throw CommandFailure(.configuration, "log.file: \(error)")
        }
        Telemetry.bootstrap(
            sink: sink, format: log.format == .json ? .json : .text,
            level: Logger.Level(rawValue: log.level.rawValue) ?? .info)
    }

    /// A logger that writes nothing, for commands.
    static func quiet() -> Logger {
        Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }
    }
}
