public import Waiting
internal import HTTPTransport
public import Logging

/// What every stage of one request shares: its identity, its deadline and a logger that carries both.
public struct RequestContext: Sendable {
    /// Shown to the caller as `request_id` and in every log line of the request.
    public let id: String
    public let logger: Logger
    /// Where what is learned about the request is written down.
    package let recorder: RequestRecorder
    private let latest: @Sendable () -> Deadline

    /// When the caller stops waiting. In work that several requests share it moves with the latest of their deadlines.
    public var deadline: Deadline { latest() }

    public init(id: String, deadline: Deadline, logger: Logger) {
        self.init(RequestRecord(requestID: id, caller: .broker), deadline: deadline, logger: logger)
    }

    /// The context of a request about which this is known at its beginning.
    package init(_ record: RequestRecord, deadline: Deadline, logger: Logger) {
        id = record.requestID
        latest = { deadline }
        var logger = logger
        logger[metadataKey: "request_id"] = "\(record.requestID)"
        if let trace = record.traceID { logger[metadataKey: "trace_id"] = "\(trace)" }
        self.logger = logger
        recorder = RequestRecorder(record)
    }

    private init(_ context: RequestContext, until deadline: @escaping @Sendable () -> Deadline) {
        id = context.id
        logger = context.logger
        recorder = context.recorder
        latest = deadline
    }

    /// The context of work that this request began and others wait for too: what it brings is written down here.
    package func shared(until deadline: @escaping @Sendable () -> Deadline) -> RequestContext { RequestContext(self, until: deadline) }
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
