import Glibc
import NIOPosix

/// A peer that writes and reads bytes, not HTTP: what goes over the wire is exactly what the test says.
final class RawClient: Sendable {
    struct Failure: Error { let reason: String }

    private let descriptor: Int32

    static func connect(port: Int) throws -> RawClient {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(reason: "socket: \(errno)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return try withUnsafePointer(to: &address) {
            try RawClient(descriptor, UnsafeRawPointer($0), socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }

    static func connect(path: String) throws -> RawClient {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(reason: "socket: \(errno)") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return try withUnsafePointer(to: &address) {
            try RawClient(descriptor, UnsafeRawPointer($0), socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }

    private init(_ descriptor: Int32, _ address: UnsafeRawPointer, _ size: socklen_t) throws {
        self.descriptor = descriptor
        // No test waits longer than this for a byte: a server that hangs fails the test instead of hanging it.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard Glibc.connect(descriptor, address.assumingMemoryBound(to: sockaddr.self), size) == 0 else {
            throw Failure(reason: "connect: \(errno)")
        }
    }

    deinit { close(descriptor) }

    /// Writes all of it; `false` when the peer does not take it any more.
    @discardableResult func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    @discardableResult func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Ends the connection with a reset, so that the peer notices.
    func abort() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        // The number stays taken until this value goes: the descriptor becomes one of nothing.
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        dup2(nothing, descriptor)
        close(nothing)
    }

    /// Says that nothing more will be sent, but still listens.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// The next bytes; empty at the end of the stream, `nil` after an error or time-out.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        return count < 0 ? nil : Array(buffer.prefix(count))
    }

    /// Whether something to read arrives within the time.
    func hasInput(withinMilliseconds limit: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, limit) > 0
    }

    /// Everything until the peer closes, or `nil` when it does not.
    func receiveToEnd() -> [UInt8]? {
        var all: [UInt8] = []
        while let bytes = receive() {
            if bytes.isEmpty { return all }
            all += bytes
        }
        return nil
    }
}

/// One answer as it came over the wire.
struct RawAnswer: Equatable {
    let status: Int
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    static func == (left: RawAnswer, right: RawAnswer) -> Bool { left.status == right.status && left.body == right.body }
}

extension RawClient {
    /// Reads one answer with a `Content-Length`, and keeps nothing behind it: for clients that do not pipeline.
    func receiveAnswer(hasBody: Bool = true) throws -> RawAnswer { try receiveAnswers(1, hasBody: hasBody)[0] }

    /// Reads that many answers.
    func receiveAnswers(_ count: Int, hasBody: Bool = true) throws -> [RawAnswer] {
        var bytes: [UInt8] = []
        var answers: [RawAnswer] = []
        while true {
            while let (answer, length) = Self.parse(bytes, hasBody: hasBody) {
                bytes.removeFirst(length)
                answers.append(answer)
                if answers.count == count { return answers }
            }
            guard let more = receive() else { throw Failure(reason: "no answer: \(errno)") }
            guard !more.isEmpty else {
                throw Failure(reason: "closed after \(answers.count) answers and \(String(decoding: bytes, as: UTF8.self))")
            }
            bytes += more
        }
    }

    static func parse(_ bytes: [UInt8], hasBody: Bool) -> (RawAnswer, Int)? {
        var end: Int?
        if bytes.count >= 4 {
            for index in 0...(bytes.count - 4) where Array(bytes[index..<index + 4]) == [13, 10, 13, 10] {
                end = index
                break
            }
        }
        guard let end else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let status = Int(lines[0].split(separator: " ")[1]) ?? 0
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (name: parts[0].lowercased(), value: String(parts[1].drop { $0 == " " }))
        }
        let length = hasBody ? headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0 : 0
        guard bytes.count >= end + 4 + length else { return nil }
        return (RawAnswer(status: status, headers: headers, body: Array(bytes[(end + 4)..<(end + 4 + length)])), end + 4 + length)
    }
}

/// Threads that may block, for the part of a test that reads and writes. The test's task stays the same, so its expectations are its own.
private final class BlockingThreads: TaskExecutor {
    static let shared = BlockingThreads()

    private let pool = NIOThreadPool(numberOfThreads: 16)

    private init() { pool.start() }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pool.submit { _ in job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// Runs blocking calls off the threads that Swift's tasks share.
@concurrent func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withTaskExecutorPreference(BlockingThreads.shared) { try await run(body) }
}

@concurrent private func run<Value: Sendable>(_ body: @Sendable () throws -> Value) async throws -> Value { try body() }

/// An HTTP/1.1 request as text.
func request(_ method: String, _ path: String, body: String? = nil, headers: [String] = []) -> String {
    var text = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    for header in headers { text += header + "\r\n" }
    if let body { text += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n" }
    return text + "\r\n" + (body ?? "")
}
