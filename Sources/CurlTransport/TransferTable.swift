internal import Waiting
internal import CCurl
internal import CCurlShims
internal import HTTPTransport

/// The requests that the loop knows: waiting for their turn or under way. Lives on the loop's thread.
///
/// The turns are given here and not by libcurl (`CURLMOPT_MAX_TOTAL_CONNECTIONS`), whose queue does not apply a transfer's timeout while it
/// waits.
struct TransferTable {
    private let multi: UnsafeMutableRawPointer
    private let sessions: UnsafeMutableRawPointer
    private let settings: TransferSettings
    private var waiting: [Submission] = []
    private var underWay: [UInt64: Transfer] = [:]
    private var countByOrigin: [String: Int] = [:]
    /// No deadline is earlier than this; the earliest one may be later, because finished requests are not looked up again.
    private var earliestDeadline: Deadline?

    /// `sessions` is libcurl's share of TLS sessions.
    init(multi: UnsafeMutableRawPointer, sessions: UnsafeMutableRawPointer, settings: TransferSettings) {
        self.multi = multi
        self.sessions = sessions
        self.settings = settings
    }

    mutating func enqueue(_ submission: Submission) {
        guard !submission.ticket.isCancelled else { return submission.fail(.cancelled) }
        waiting.append(submission)
        note(submission.request.deadline)
    }

    mutating func cancel(_ id: UInt64) {
        if let transfer = remove(id) {
            transfer.submission.fail(.cancelled)
        } else if let index = waiting.firstIndex(where: { $0.ticket.id == id }) {
            waiting.remove(at: index).fail(.cancelled)
        }
    }

    /// Starts waiting requests in order, passing over those whose origin has its share.
    mutating func startWaiting() {
        guard !waiting.isEmpty, underWay.count < settings.maximumConnections else { return }
        var stillWaiting: [Submission] = []
        for submission in waiting {
            let origin = submission.request.origin
            let isFree =
                underWay.count < settings.maximumConnections && countByOrigin[origin, default: 0] < settings.maximumConnectionsPerOrigin
            if isFree { start(submission) } else { stillWaiting.append(submission) }
        }
        waiting = stillWaiting
    }

    private mutating func start(_ submission: Submission) {
        let transfer: Transfer
        do { transfer = try Transfer(submission, settings: settings, sessions: sessions) } catch { return submission.fail(error) }
        guard curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
            return submission.fail(.connectionFailed(reason: "libcurl does not accept the request"))
        }
        underWay[submission.ticket.id] = transfer
        countByOrigin[submission.request.origin, default: 0] += 1
    }

    /// Answers the callers whose transfers ended; true when there were any.
    mutating func finishCompleted() -> Bool {
        var finishedAny = false
        var messagesLeft: Int32 = 0
        while let message = curl_multi_info_read(multi, &messagesLeft) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let code = message.pointee.data.result
            guard let id = Transfer.id(of: easy), let transfer = underWay[id] else { continue }
            let result = transfer.result(code)
            _ = remove(id)
            transfer.submission.continuation.resume(returning: result)
            finishedAny = true
        }
        return finishedAny
    }

    /// Ends the requests whose deadline passed, waiting ones too.
    mutating func failExpired() {
        guard let earliestDeadline, earliestDeadline.hasPassed else { return }
        for (id, transfer) in underWay where transfer.submission.request.deadline.hasPassed {
            _ = remove(id)
            transfer.submission.fail(.deadlineExceeded)
        }
        let expired = waiting.filter { $0.request.deadline.hasPassed }
        waiting.removeAll { submission in expired.contains { $0.ticket === submission.ticket } }
        for submission in expired { submission.fail(.deadlineExceeded) }
        self.earliestDeadline = nil
        for transfer in underWay.values { note(transfer.submission.request.deadline) }
        for submission in waiting { note(submission.request.deadline) }
    }

    mutating func failAll(_ error: HTTPTransportError) {
        for id in Array(underWay.keys) { remove(id)?.submission.fail(error) }
        for submission in waiting { submission.fail(error) }
        waiting = []
    }

    /// How long the thread may sleep when nothing happens, in milliseconds. libcurl wakes it earlier for its own timers.
    var pollTimeout: Int32 {
        guard let earliestDeadline else { return 60_000 }
        return Int32(min(60_000, earliestDeadline.remaining.wholeMilliseconds))
    }

    private mutating func remove(_ id: UInt64) -> Transfer? {
        guard let transfer = underWay.removeValue(forKey: id) else { return nil }
        curl_multi_remove_handle(multi, transfer.easy)
        let origin = transfer.submission.request.origin
        if let count = countByOrigin[origin], count > 1 { countByOrigin[origin] = count - 1 } else { countByOrigin[origin] = nil }
        return transfer
    }

    private mutating func note(_ deadline: Deadline) {
        guard let earliest = earliestDeadline else {
            earliestDeadline = deadline
            return
        }
        if deadline.instant < earliest.instant { earliestDeadline = deadline }
    }
}

extension Duration {
    /// Rounded up, so that waiting that long passes the moment.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        guard seconds < 1 << 40 else { return 1 << 50 }
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
