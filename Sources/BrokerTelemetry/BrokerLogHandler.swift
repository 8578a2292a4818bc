internal import Glibc
public import Logging

/// Form of a log line.
public enum LogLineFormat: String, Sendable {
    /// For people.
    case text
    /// One JSON object a line.
    case json
}

/// Writes log events of swift-log to a `LogSink`, one line each, with tokens removed and control characters escaped.
public struct BrokerLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let sink: LogSink
    private let format: LogLineFormat
    private let now: @Sendable () -> timespec

    public init(
        label: String, sink: LogSink, format: LogLineFormat = .text, level: Logger.Level = .info,
        metadataProvider: Logger.MetadataProvider? = nil
    ) {
        self.init(label: label, sink: sink, format: format, level: level, metadataProvider: metadataProvider) {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return time
        }
    }

    init(
        label: String, sink: LogSink, format: LogLineFormat, level: Logger.Level,
        metadataProvider: Logger.MetadataProvider?, now: @escaping @Sendable () -> timespec
    ) {
        self.label = label
        self.sink = sink
        self.format = format
        self.logLevel = level
        self.metadataProvider = metadataProvider
        self.now = now
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        if let error = event.error {
            all["error"] = "\(error)"
            all["error_type"] = "\(String(reflecting: type(of: error)))"
        }
        let line = LogLine(
            time: Self.timestamp(now()), level: event.level.rawValue, label: label,
            message: LogText.redacted(event.message.description),
            fields: all.sorted { $0.key < $1.key }.map { ($0.key, Self.text(of: $0.value, name: $0.key)) })
        sink.write(format == .json ? line.json() : line.text())
    }

    // A secret may also be a member of a dictionary, so names are looked at on every level.
    private static func text(of value: Logger.Metadata.Value, name: String) -> String {
        if LogText.isSecret(name: name) { return "<redacted>" }
        switch value {
        case .string(let text): return LogText.redacted(text)
        case .stringConvertible(let value): return LogText.redacted(value.description)
        case .array(let values):
            return "[" + values.map { text(of: $0, name: "") }.joined(separator: ", ") + "]"
        case .dictionary(let values):
            let members = values.sorted { $0.key < $1.key }.map { "\($0.key): \(text(of: $0.value, name: $0.key))" }
            return "{" + members.joined(separator: ", ") + "}"
        }
    }

    /// RFC 3339 in UTC with milliseconds.
    static func timestamp(_ time: timespec) -> String {
        var seconds = time.tv_sec
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return "\(time.tv_sec)" }
        // Digits by hand: each request has a line, and a string for each of its numbers costs more than the rest of it.
        var text: [UInt8] = []
        text.reserveCapacity(24)
        func append(_ number: Int, _ width: Int, then separator: UnicodeScalar) {
            var power: UInt = 1
            for _ in 1..<width { power *= 10 }
            while power > 0 {
                text.append(UInt8(ascii: "0") + UInt8(number.magnitude / power % 10))
                power /= 10
            }
            text.append(UInt8(ascii: separator))
        }
        append(Int(parts.tm_year) + 1900, 4, then: "-")
        append(Int(parts.tm_mon) + 1, 2, then: "-")
        append(Int(parts.tm_mday), 2, then: "T")
        append(Int(parts.tm_hour), 2, then: ":")
        append(Int(parts.tm_min), 2, then: ":")
        append(Int(parts.tm_sec), 2, then: ".")
        append(time.tv_nsec / 1_000_000, 3, then: "Z")
        return String(decoding: text, as: UTF8.self)
    }
}
