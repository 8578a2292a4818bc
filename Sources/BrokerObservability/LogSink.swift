internal import Dispatch
internal import Glibc

/// Where log lines go: standard error, or a file.
///
/// A line is put into a bounded queue and written by a thread of the sink's own, so nobody waits for the log's reader. Lines for which
/// there is no room,
/// or that cannot be written, are dropped and counted; the count is a line of its own as soon as lines can be written again.
package final class LogSink: Sendable {
    /// Why a log file cannot be used, in words.
    package struct Failure: Error, Sendable, CustomStringConvertible { package let description: String }

    /// How each line looks.
    let format: LogLineFormat
    private let queue: LogQueue

    /// `descriptor` is closed with the sink where it is owned. `path` is where `reopen` finds the file again.
    init(descriptor: Int32, isOwned: Bool, path: String? = nil, format: LogLineFormat, rotate limit: Int = 0) {
        self.format = format
        queue = LogQueue(LogWriter(descriptor: descriptor, isOwned: isOwned, path: path, format: format, limit: limit))
    }

    /// Standard error.
    package static func standardError(_ format: LogLineFormat) -> LogSink {
        LogSink(descriptor: STDERR_FILENO, isOwned: false, format: format)
    }

    /// Appends to the file at `path`, which is made with mode 0600 where it is missing. A symbolic link in the last place and anything
    /// but a regular file
    /// are refused, except below `/dev/` (`/dev/stdout`). At `limit` bytes it becomes `PATH.1` and is begun anew; 0 is no limit.
    package static func file(_ path: String, _ format: LogLineFormat, rotate limit: Int = 0) throws(Failure) -> LogSink {
        LogSink(descriptor: try open(path), isOwned: true, path: path, format: format, rotate: path.hasPrefix("/dev/") ? 0 : limit)
    }

    static func open(_ path: String) throws(Failure) -> Int32 {
        let isDevice = path.hasPrefix("/dev/")
        // Not blocking: a FIFO without a reader would hold up the start. Regular files ignore it.
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (isDevice ? 0 : O_NOFOLLOW)
        let descriptor = Glibc.open(path, flags, 0o600)
        guard descriptor >= 0 else {
            let reason = errno == ELOOP ? "is a symbolic link" : String(cString: strerror(errno))
            throw Failure(description: "\(path): \(reason)")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, isDevice || status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw Failure(description: "\(path): is not a regular file")
        }
        return descriptor
    }

    /// Lines that were not written so far.
    package var droppedLines: Int { queue.droppedLines }

    /// Queues a line; never waits.
    func write(_ line: LogLine) { queue.add(.line(line.bytes(format))) }

    /// Opens the file of that name anew, after what is queued: somebody has moved it away. Nothing for standard error.
    package func reopen() { queue.add(.reopen) }

    /// Waits until all that was queued is written, but not longer than `milliseconds`. Returns whether it is.
    @discardableResult package func flush(milliseconds: Int = 2000) -> Bool {
        let written = DispatchSemaphore(value: 0)
        queue.add(.flush(written))
        return written.wait(timeout: .now() + .milliseconds(milliseconds)) == .success
    }

    deinit { queue.add(.end) }
}
