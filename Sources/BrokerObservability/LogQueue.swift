internal import Dispatch
internal import Synchronization
internal import Waiting

/// Lines on their way to the one thread that writes them.
final class LogQueue: Sendable {
    enum Entry: Sendable {
        case line([UInt8])
        case reopen
        /// Signalled when everything in front of it is written.
        case flush(DispatchSemaphore)
        /// Nothing follows.
        case end
    }

    private struct State {
        var entries: [Entry] = []
        var byteCount = 0
        /// Since the sink was made.
        var droppedLines = 0
        /// Dropped since the writer last took what there was.
        var droppedNow = 0
        var isRunning = false
    }

    /// Most bytes of lines that wait.
    static let limit = 1 << 20

    private let state = Mutex(State())
    private let filled = DispatchSemaphore(value: 0)
    private let writer: LogWriter

    init(_ writer: LogWriter) { self.writer = writer }

    var droppedLines: Int { state.withLock { $0.droppedLines } }

    func add(_ entry: Entry) {
        let wasEmpty = state.withLock { state in
            if case .line(let bytes) = entry {
                guard state.byteCount + bytes.count <= Self.limit else {
                    state.droppedLines += 1
                    state.droppedNow += 1
                    return false
                }
                state.byteCount += bytes.count
            }
            state.entries.append(entry)
            // A thread that cannot be started now is tried again with the next line.
            if !state.isRunning { state.isRunning = BackgroundThread.start { [self, writer] in run(writer) } }
            return state.entries.count == 1
        }
        if wasEmpty { filled.signal() }
    }

    private func run(_ writer: LogWriter) {
        LogWriter.holdBackPipeSignals()
        var writer = writer
        var unreported = 0
        while true {
            filled.wait()
            let (entries, dropped) = state.withLock { state in
                defer {
                    state.entries = []
                    state.byteCount = 0
                    state.droppedNow = 0
                }
                return (state.entries, state.droppedNow)
            }
            var isEnd = false
            var waiting: [DispatchSemaphore] = []
            for entry in entries {
                switch entry {
                case .line(let bytes):
                    guard !writer.write(bytes) else { continue }
                    unreported += 1
                    state.withLock { $0.droppedLines += 1 }
                case .reopen: writer.reopen()
                case .flush(let semaphore): waiting.append(semaphore)
                case .end: isEnd = true
                }
            }
            // What was dropped came after all of these.
            unreported += dropped
            if unreported > 0, writer.report(dropped: unreported) { unreported = 0 }
            for semaphore in waiting { semaphore.signal() }
            if isEnd { return writer.close() }
        }
    }
}
