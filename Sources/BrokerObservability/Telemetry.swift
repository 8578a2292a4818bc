package import Logging

/// Sets up logging for the whole process.
package enum Telemetry {
    /// Makes every `Logger` write to `sink`. Only the program's entry point may call it, once: swift-log ends the process at a second call.
    package static func bootstrap(sink: LogSink, level: Logger.Level) {
        LoggingSystem.bootstrap(
            { label, metadataProvider in
                BrokerLogHandler(label: label, sink: sink, level: level, metadataProvider: metadataProvider)
            }, metadataProvider: nil)
    }
}

extension Logger.Level {
    /// Reads swift-log's names in any case, and the other names that people use: `warn`, and the original sidecar's `fatal` and `panic`.
    package init?(named name: String) {
        switch name.lowercased() {
        case "warn": self = .warning
        case "fatal", "panic": self = .critical
        case let name: self.init(rawValue: name)
        }
    }
}
