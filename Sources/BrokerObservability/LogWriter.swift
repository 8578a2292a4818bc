internal import Glibc

/// The end of the log that touches the system; used by one thread.
struct LogWriter: Sendable {
    private(set) var descriptor: Int32
    let isOwned: Bool
    let path: String?
    let format: LogLineFormat
    /// Length in bytes at which the file is begun anew; 0 for never.
    let limit: Int
    private var length = 0
    /// The last line ended in its middle; the next one starts on a new line.
    private var isTorn = false

    init(descriptor: Int32, isOwned: Bool, path: String?, format: LogLineFormat, limit: Int = 0) {
        self.limit = limit
        self.descriptor = descriptor
        self.isOwned = isOwned
        self.path = path
        self.format = format
        length = Self.length(of: descriptor)
    }

    /// A closed pipe raises no signal on the calling thread: writing says so.
    static func holdBackPipeSignals() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Hands a whole line to the system, as a rule in one piece, and waits for as long as its reader takes. Returns whether it was taken.
    mutating func write(_ line: [UInt8]) -> Bool {
        rotate(before: line.count)
        var rest = (isTorn ? [UInt8(ascii: "\n")] + line : line)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
                length += count
                isTorn = !rest.isEmpty
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Somebody else's descriptor that does not block.
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            default: return false
            }
        }
        return true
    }

    mutating func report(dropped count: Int) -> Bool {
        notice(count == 1 ? "1 log line was dropped" : "\(count) log lines were dropped")
    }

    /// Goes on with the file that has the name now. Where there is none that can be used, the old one is kept.
    mutating func reopen() {
        guard let path else { return }
        do {
            let new = try LogSink.open(path)
            close()
            descriptor = new
            length = Self.length(of: new)
            isTorn = false
        } catch { _ = notice("log.file cannot be opened again and the old file goes on: \(error)") }
    }

    /// Puts a file that is long enough aside as `FILE.1`, in place of the one before.
    private mutating func rotate(before count: Int) {
        guard limit > 0, let path, length > 0, length + count > limit else { return }
        // Where it cannot be renamed it goes on, and is tried again when it is twice as long.
        if rename(path, path + ".1") == 0 { reopen() } else { length = 0 }
    }

    private static func length(of descriptor: Int32) -> Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
    }

    func close() { if isOwned { Glibc.close(descriptor) } }

    private mutating func notice(_ text: String) -> Bool {
        write(LogLine(time: LogLine.now(), level: "warning", label: "log", message: text, fields: []).bytes(format))
    }
}
