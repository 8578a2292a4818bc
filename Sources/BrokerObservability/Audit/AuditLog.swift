package import BrokerCore
internal import BrokerEngine
package import Logging
internal import Waiting

/// When a line counts as written.
package enum AuditFlush: String, Sendable, CaseIterable {
    /// Each line is flushed to the disk by itself.
    case always
    /// Lines that come while others are being flushed are flushed together; each answer still waits for its own.
    case batch
}

/// The audit: a line for every attestation and release, on the disk before the answer leaves (Audit.md, "When an answer leaves").
///
/// One thread writes. Whoever waits for a line waits no longer than its request's deadline; a disk that is full, gone or slow keeps keys
/// back and nothing else.
package final class AuditLog: RequestObserver {
    private let queue: AuditQueue
    private let isRequired: Bool
    private let refusals = RepeatedRefusals()

    /// Where it is not required, keys leave although their line cannot be written.
    package convenience init(path: String, maximumSize: Int, key: AuditKey?, flush: AuditFlush, isRequired: Bool, logger: Logger) {
        self.init(AuditFile(path: path, maximumSize: maximumSize, key: key), flush: flush, isRequired: isRequired, logger: logger)
    }

    init(_ storage: any AuditStorage, flush: AuditFlush, isRequired: Bool = true, logger: Logger) {
        queue = AuditQueue(AuditWriter(storage, flush: flush), logger: logger)
        self.isRequired = isRequired
    }

    package var statistics: AuditStatistics { queue.statistics }

    package func willAnswer(_ record: RequestRecord) async throws(BrokerError) {
        let waiter = Waiter<String?>()
        let failure: String?
        if queue.add(AuditEntry(record), waiter) {
            // A line that comes too late stays: it says more than happened, never less.
            failure = await waiter.value(onCancel: { true }) ?? "the line was not written before the request's time was over"
        } else {
            failure = "\(AuditQueue.limit) lines wait to be written"
        }
        guard let failure, isRequired else { return }
        throw BrokerError(
            .auditUnavailable, at: .audit, "nothing is handed out without its audit line: \(failure)", retryAfter: .seconds(1))
    }

    package func completed(_ record: RequestRecord) {
        // Of a request that went well the line is there.
        guard let error = record.error else { return }
        var omitted = 0
        if [.caller, .route].contains(error.stage) {
            guard let before = refusals.note(record.caller.share) else { return }
            omitted = before
        }
        _ = queue.add(AuditEntry(record, omitted: omitted), nil)
    }

    package var obstacles: [String] { isRequired ? [statistics.obstacle].compactMap { $0.map { "audit: \($0)" } } : [] }

    /// Opens the file of that name anew: somebody has moved it away, or repaired what kept it from being opened.
    package func reopen() { queue.reopen() }

    /// Opens the file. Why it cannot be written, where it cannot.
    package func start() -> String? {
        queue.reopen()
        settle()
        return statistics.obstacle
    }

    /// Waits until all lines so far are written or cannot be, at most that long. Returns whether that is so.
    @discardableResult package func settle(milliseconds: Int = 2000) -> Bool { queue.settle(milliseconds: milliseconds) }

    deinit { queue.end() }
}
