public import Waiting
internal import HTTPTransport
public import Logging

/// What every stage of one request shares: its identity, its deadline and a logger that carries both.
public struct RequestContext: Sendable {
    /// Shown to the caller as `request_id` and in every log line of the request.
    public let id: String
    public let logger: Logger
    private let latest: @Sendable () -> Deadline

    /// When the caller stops waiting. In work that several requests share it moves with the latest of their deadlines.
    public var deadline: Deadline { latest() }

    public init(id: String, deadline: Deadline, logger: Logger) { self.init(id: id, logger: logger) { deadline } }

    /// The context of work for several requests.
    package init(id: String, logger: Logger, deadline: @escaping @Sendable () -> Deadline) {
        self.id = id
        latest = deadline
        var logger = logger
        logger[metadataKey: "request_id"] = "\(id)"
        self.logger = logger
    }
}

extension BrokerError {
    /// Marks an error that says only that its task was cancelled.
    private struct Cancelled: Error {}

    /// What stops because its task is cancelled fails with this. Whether the request's deadline passed or the caller went away is known
    /// where the deadline is set.
    package static func cancelled(at stage: Stage) -> BrokerError {
        BrokerError(.deadlineExceeded, at: stage, "the caller stopped waiting", cause: Cancelled())
    }

    package var isCancellation: Bool { cause is Cancelled }
}
