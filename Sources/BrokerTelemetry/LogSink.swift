internal import Glibc
internal import Synchronization

/// Where log lines go: standard error, or a file. A line is handed to the system in one piece (into a pipe, in pieces of 4096 bytes), so that lines of
/// several threads never mix, and those of several processes only where they are long.
///
/// Logging never stops the program: a closed pipe raises no signal, a reader that has stalled costs a moment once, and lines that cannot be written are
/// counted and dropped.
public final class LogSink: Sendable {
    private struct State {
        var droppedLines = 0
        /// The last line ended in its middle; the next one starts on a new line.
        var isTorn = false
        /// The last line could not be written in time, so the next one does not wait at all.
        var isStalled = false
    }

    /// How long a full pipe may hold up the first line that does not fit, in milliseconds.
    private static let patience: Int32 = 200

    /// PIPE_BUF of Linux, in bytes.
    private static let pipeBuffer = 4096

    private let descriptor: Int32
    private let isOwned: Bool
    private let mayBlock: Bool
    private let state = Mutex(State())

    /// Why a log file cannot be used, in words.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// `descriptor` is closed with the sink where it is owned.
    init(descriptor: Int32, isOwned: Bool) {
        self.descriptor = descriptor
        self.isOwned = isOwned
        var status = stat()
        let kind = fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : 0
        mayBlock = kind != S_IFREG
    }

    /// Standard error.
    public static func standardError() -> LogSink { LogSink(descriptor: STDERR_FILENO, isOwned: false) }

    /// Appends to the file at `path`, which is made with mode 0600 where it is missing. A symbolic link in the last place and anything but a regular file
    /// are refused, except below `/dev/` (`/dev/stdout`).
    public static func file(_ path: String) throws(Failure) -> LogSink {
        let isDevice = path.hasPrefix("/dev/")
        // Not blocking: a FIFO without a reader would hold up the start. Regular files ignore it.
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (isDevice ? 0 : O_NOFOLLOW)
        let descriptor = open(path, flags, 0o600)
        guard descriptor >= 0 else {
            let reason = errno == ELOOP ? "is a symbolic link" : String(cString: strerror(errno))
            throw Failure(description: "\(path): \(reason)")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, isDevice || status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw Failure(description: "\(path): is not a regular file")
        }
        return LogSink(descriptor: descriptor, isOwned: true)
    }

    /// Lines that could not be written so far.
    public var droppedLines: Int { state.withLock { $0.droppedLines } }

    /// Writes a whole line, with its end.
    func write(_ line: [UInt8]) {
        state.withLock { state in
            var rest = (state.isTorn ? [UInt8(ascii: "\n")] + line : line)[...]
            let length = rest.count
            while !rest.isEmpty {
                let count = isReady(&state) ? send(mayBlock ? rest.prefix(Self.pipeBuffer) : rest) : -1
                guard count > 0 else {
                    state.droppedLines += 1
                    state.isTorn = state.isTorn || rest.count < length
                    return
                }
                rest = rest.dropFirst(count)
            }
            state.isTorn = false
            state.isStalled = false
        }
    }

    // Pipe, socket or terminal. A pipe that is ready has room for PIPE_BUF bytes, so a piece of that length does not block (pipe(7)).
    private func isReady(_ state: inout State) -> Bool {
        guard mayBlock else { return true }
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        let result = poll(&entry, 1, state.isStalled ? 0 : Self.patience)
        if result == 0 { state.isStalled = true }
        return result > 0
    }

    private func send(_ bytes: ArraySlice<UInt8>) -> Int {
        guard mayBlock else { return writeRetrying(bytes) }
        // SIGPIPE is held back on this thread and taken away again, whatever the program does about it elsewhere.
        var pipeSignal = sigset_t()
        sigemptyset(&pipeSignal)
        sigaddset(&pipeSignal, SIGPIPE)
        var previous = sigset_t()
        var pending = sigset_t()
        sigpending(&pending)
        let wasPending = sigismember(&pending, SIGPIPE) == 1
        guard pthread_sigmask(SIG_BLOCK, &pipeSignal, &previous) == 0 else { return -1 }
        let count = writeRetrying(bytes)
        if count < 0, errno == EPIPE, !wasPending {
            var now = timespec(tv_sec: 0, tv_nsec: 0)
            while sigtimedwait(&pipeSignal, nil, &now) < 0, errno == EINTR {}
        }
        pthread_sigmask(SIG_SETMASK, &previous, nil)
        return count
    }

    private func writeRetrying(_ bytes: ArraySlice<UInt8>) -> Int {
        while true {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 || errno != EINTR { return count }
        }
    }

    deinit {
        if isOwned { close(descriptor) }
    }
}
