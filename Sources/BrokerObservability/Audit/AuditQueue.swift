internal import Dispatch
internal import Logging
internal import Synchronization
internal import Waiting

/// How the audit is doing, for metrics and readiness.
package struct AuditStatistics: Sendable, Equatable {
    package var linesWritten = 0
    package var linesFailed = 0
    /// Lines that wait now.
    package var waiting = 0
    /// From when the first line of the last flush came until they were on the disk.
    package var lag = Duration.zero
    /// Why lines cannot be written; `nil` while they can.
    package var obstacle: String?
    /// Whether that may pass without anybody correcting the configuration.
    package var mayPass = false
}

/// Lines on their way to the one thread that writes them.
final class AuditQueue: Sendable {
    struct Line: Sendable {
        let entry: AuditEntry
        let since: ContinuousClock.Instant
        /// Who waits for it; gets the reason where it could not be written.
        let waiter: Waiter<String?>?
    }

    private struct State {
        var lines: [Line] = []
        var settlers: [DispatchSemaphore] = []
        var mustReopen = false
        var isEnding = false
        var isRunning = false
        var statistics = AuditStatistics()
    }

    /// Most lines that wait.
    static let limit = 4096

    private let state = Mutex(State())
    private let filled = DispatchSemaphore(value: 0)
    private let writer: AuditWriter
    private let logger: Logger

    init(_ writer: AuditWriter, logger: Logger) {
        self.writer = writer
        self.logger = logger
    }

    var statistics: AuditStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.waiting = state.lines.count
            return statistics
        }
    }

    /// Returns whether there was room.
    func add(_ entry: AuditEntry, _ waiter: Waiter<String?>?) -> Bool {
        change { state in
            // Those for whom nobody waits leave room for those whose answer does.
            guard state.lines.count < (waiter == nil ? Self.limit / 2 : Self.limit) else {
                state.statistics.linesFailed += 1
                return false
            }
            state.lines.append(Line(entry: entry, since: .now, waiter: waiter))
            return true
        }
    }

    func reopen() { change { $0.mustReopen = true } }

    func settle(milliseconds: Int) -> Bool {
        let settled = DispatchSemaphore(value: 0)
        change { $0.settlers.append(settled) }
        return settled.wait(timeout: .now() + .milliseconds(milliseconds)) == .success
    }

    func end() { change { $0.isEnding = true } }

    private func change<Value: Sendable>(_ body: (inout State) -> Value) -> Value {
        let value = state.withLock { state in
            let value = body(&state)
            // A thread that cannot be started now is tried again with the next line.
            if !state.isRunning { state.isRunning = BackgroundThread.start { [self, writer] in run(writer) } }
            return value
        }
        filled.signal()
        return value
    }

    private func run(_ writer: AuditWriter) {
        LogWriter.holdBackPipeSignals()
        var writer = writer
        while true {
            filled.wait()
            let (lines, settlers, mustReopen, isEnding) = state.withLock { state in
                defer { (state.lines, state.settlers, state.mustReopen) = ([], [], false) }
                return (state.lines, state.settlers, state.mustReopen, state.isEnding)
            }
            if mustReopen { tell(Result { () throws(AuditFailure) in try writer.prepare() }, lines: 0, since: nil) }
            for group in writer.groups(of: lines) {
                let result = Result { () throws(AuditFailure) in try writer.write(group.map(\.entry)) }
                tell(result, lines: group.count, since: group.first?.since)
                var reason: String?
                if case .failure(let failure) = result { reason = failure.description }
                for line in group { line.waiter?.resume(reason) }
            }
            for settler in settlers { settler.signal() }
            if isEnding { return writer.close() }
        }
    }

    /// Counts, and says so in the log where it begins to fail or works again.
    private func tell(_ result: Result<Void, AuditFailure>, lines: Int, since: ContinuousClock.Instant?) {
        let (before, after) = state.withLock { state in
            let before = state.statistics.obstacle
            switch result {
            case .success:
                state.statistics.linesWritten += lines
                state.statistics.obstacle = nil
                if let since { state.statistics.lag = since.duration(to: .now) }
            case .failure(let failure):
                state.statistics.linesFailed += lines
                state.statistics.obstacle = failure.description
                state.statistics.mayPass = failure.mayPass
            }
            return (before, state.statistics.obstacle)
        }
        switch (before, after) {
        case (nil, let reason?):
            logger.error("the audit cannot be written: no key, token or evidence leaves until it can", metadata: ["reason": "\(reason)"])
        case (.some, nil): logger.notice("the audit can be written again")
        default: break
        }
    }
}

/// Chains lines and hands them to the storage; used by one thread.
struct AuditWriter: Sendable {
    private var storage: any AuditStorage
    private let flush: AuditFlush
    /// The last line that is known to be written.
    private var position: AuditPosition?

    init(_ storage: any AuditStorage, flush: AuditFlush) {
        self.storage = storage
        self.flush = flush
    }

    /// What is flushed together.
    func groups(of lines: [AuditQueue.Line]) -> [ArraySlice<AuditQueue.Line>] {
        switch flush {
        case .always: lines.indices.map { lines[$0...$0] }
        case .batch: lines.isEmpty ? [] : [lines[...]]
        }
    }

    /// Opens the storage where that has to be done, and says so in a line.
    mutating func prepare() throws(AuditFailure) {
        guard storage.mustOpen || position == nil else { return }
        let (found, torn) = try storage.open()
        // Whichever is later: lines may have been written that nobody was told of, and a file may have been moved away with its lines.
        let last = [found, position].compactMap(\.self).max { $0.sequence < $1.sequence } ?? .start
        let ending = torn.isEmpty ? [] : [UInt8(ascii: "\n")]
        try put([.opened(torn: torn)], after: last, ending: ending)
    }

    mutating func write(_ entries: [AuditEntry]) throws(AuditFailure) {
        try prepare()
        guard let last = position else { throw AuditFailure(description: "the audit is not open") }
        if storage.isFull(with: entries.count * 1024) {
            do throws(AuditFailure) { try storage.rotate(last) } catch {
                storage.close()
                throw error
            }
            try prepare()
        }
        try put(entries, after: position ?? last)
    }

    private mutating func put(_ entries: [AuditEntry], after last: AuditPosition, ending: [UInt8] = []) throws(AuditFailure) {
        var last = last
        var bytes = ending
        let time = LogLine.now()
        for entry in entries {
            let line = AuditLine(entry, after: last, time: time)
            guard line.bytes.count <= AuditLine.limit else { throw AuditFailure(description: "a line would be too long") }
            bytes += line.bytes + [UInt8(ascii: "\n")]
            last = line.position
        }
        do throws(AuditFailure) {
            try storage.append(bytes)
            try storage.synchronize()
        } catch {
            // Opening again finds out what is there.
            storage.close()
            throw error
        }
        position = last
        storage.note(last)
    }

    mutating func close() { storage.close() }
}
