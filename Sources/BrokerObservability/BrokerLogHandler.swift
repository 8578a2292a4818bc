internal import Glibc
package import Logging

/// Form of a log line.
package enum LogLineFormat: String, Sendable, CaseIterable {
    /// For people.
    case text
    /// One JSON object a line.
    case json
}

/// Writes log events of swift-log to a `LogSink`, one line each, with tokens removed and control characters escaped.
package struct BrokerLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let sink: LogSink
    private let now: @Sendable () -> timespec

    package init(
        label: String, sink: LogSink, level: Logger.Level = .info, metadataProvider: Logger.MetadataProvider? = nil
    ) { self.init(label: label, sink: sink, level: level, metadataProvider: metadataProvider, now: LogLine.clock) }

    init(
        label: String, sink: LogSink, level: Logger.Level, metadataProvider: Logger.MetadataProvider?,
        now: @escaping @Sendable () -> timespec
    ) {
        self.label = label
        self.sink = sink
        self.logLevel = level
        self.metadataProvider = metadataProvider
        self.now = now
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        if let error = event.error {
            all["error"] = "\(error)"
            all["error_type"] = "\(String(reflecting: type(of: error)))"
        }
        let line = LogLine(
            time: LogLine.timestamp(now()), level: event.level.rawValue, label: label, message: LogText.redacted(event.message.description),
            fields: all.sorted { $0.key < $1.key }.map { ($0.key, Self.text(of: $0.value, name: $0.key)) })
        sink.write(line)
    }

    // A secret may also be a member of a dictionary, so names are looked at on every level.
    private static func text(of value: Logger.Metadata.Value, name: String) -> String {
        if LogText.isSecret(name: name) { return "<redacted>" }
        switch value {
        case .string(let text): return LogText.redacted(text)
        case .stringConvertible(let value): return LogText.redacted(value.description)
        case .array(let values): return "[" + values.map { text(of: $0, name: "") }.joined(separator: ", ") + "]"
        case .dictionary(let values):
            let members = values.sorted { $0.key < $1.key }.map { "\($0.key): \(text(of: $0.value, name: $0.key))" }
            return "{" + members.joined(separator: ", ") + "}"
        }
    }
}
