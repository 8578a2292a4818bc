package import Logging
internal import Synchronization

/// Keeps every line that a logger writes, at every level, so that a test can look for what must not be there.
package final class RecordedLog: Sendable {
    private let written = Mutex<[String]>([])

    package init() {}

    /// `level message key=value …`, in order.
    package var lines: [String] { written.withLock { $0 } }

    /// A logger that writes here.
    package func logger(label: String = "test") -> Logger { Logger(label: label) { [self] _ in Handler(log: self) } }

    fileprivate func append(_ line: String) { written.withLock { $0.append(line) } }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace
        var metadataProvider: Logger.MetadataProvider?

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }
            let pairs = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            let error = event.error.map { " error=\($0)" } ?? ""
            log.append("\(event.level) \(event.message)\(pairs)\(error)")
        }
    }
}
