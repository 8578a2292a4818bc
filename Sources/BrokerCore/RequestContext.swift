public import Waiting
internal import HTTPTransport
public import Logging

/// What every stage of one request shares: its identity, its deadline and a logger that carries both.
public struct RequestContext: Sendable {
    /// Shown to the caller as `request_id` and in every log line of the request.
    public let id: String
    /// When the caller stops waiting.
    public let deadline: Deadline
    public let logger: Logger

    public init(id: String, deadline: Deadline, logger: Logger) {
        self.id = id
        self.deadline = deadline
        var logger = logger
        logger[metadataKey: "request_id"] = "\(id)"
        self.logger = logger
    }
}
