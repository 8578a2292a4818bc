import Glibc
import Synchronization

/// A TCP server on 127.0.0.1 whose every byte is in the test's hands. Each connection is served by `serve` on a thread of its own.
final class LoopbackServer: Sendable {
    let port: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let serve: @Sendable (Connection) -> Void

    private struct State {
        var accepted = 0
        var open: [Int32] = []
        var threads: [pthread_t] = []
        var acceptThread: pthread_t?
    }

    /// Connections accepted so far.
    var acceptedConnections: Int { state.withLock { $0.accepted } }

    init(serve: @escaping @Sendable (Connection) -> Void) throws {
        self.serve = serve
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(listener, generic, length) == 0 && listen(listener, 512) == 0 && getsockname(listener, generic, &length) == 0
            }
        }
        guard listener >= 0, isListening else { throw Failure(errno) }
        port = Int(UInt16(bigEndian: address.sin_port))
        let thread = startThread { [self] in acceptConnections() }
        state.withLock { $0.acceptThread = thread }
    }

    struct Failure: Error {
        let code: Int32
        init(_ code: Int32) { self.code = code }
    }

    /// Ends all connections and waits for the threads.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        let acceptThread = state.withLock { state in
            defer { state.acceptThread = nil }
            return state.acceptThread
        }
        guard let acceptThread else { return }
        pthread_join(acceptThread, nil)
        close(listener)
        let threads = state.withLock { state in
            for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
            return state.threads
        }
        for thread in threads { pthread_join(thread, nil) }
    }

    private func acceptConnections() {
        while true {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else { return }
            let number = state.withLock { state in
                state.accepted += 1
                state.open.append(descriptor)
                return state.accepted
            }
            let thread = startThread { [self] in
                serve(Connection(descriptor: descriptor, number: number))
                state.withLock { $0.open.removeAll { $0 == descriptor } }
                close(descriptor)
            }
            state.withLock { $0.threads.append(thread) }
        }
    }
}

/// One accepted connection, used by the thread that serves it.
final class Connection {
    /// Counted from 1 in the order of acceptance.
    let number: Int
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    init(descriptor: Int32, number: Int) {
        self.descriptor = descriptor
        self.number = number
    }

    /// The next request with its body (by Content-Length); `nil` when the peer is gone.
    func readRequest() -> (head: String, body: [UInt8])? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let start = firstIndex(of: end, in: buffer) {
                let head = String(decoding: buffer[..<start], as: UTF8.self)
                let length =
                    head.split(separator: "\r\n").lazy.first { $0.lowercased().hasPrefix("content-length:") }.flatMap {
                        Int($0.split(separator: ":")[1].filter { $0 != " " })
                    } ?? 0
                while buffer.count < start + 4 + length { guard receive() else { return nil } }
                let body = Array(buffer[(start + 4)..<(start + 4 + length)])
                buffer.removeFirst(start + 4 + length)
                return (head, body)
            }
            guard receive() else { return nil }
        }
    }

    /// False when the peer is gone.
    @discardableResult func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(descriptor, buffer.baseAddress! + sent, buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Sends a whole answer with its length.
    func answer(_ body: String, status: String = "200 OK", headers: String = "") {
        send("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    /// Returns when the peer or `LoopbackServer.stop` ends the connection.
    func waitForEnd() { while receive() { buffer.removeAll() } }

    /// Makes the end of the connection a TCP reset.
    func resetAtEnd() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    private func receive() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return false }
        buffer.append(contentsOf: chunk[..<count])
        return true
    }

    private func firstIndex(of needle: [UInt8], in haystack: [UInt8]) -> Int? {
        guard haystack.count >= needle.count else { return nil }
        return (0...(haystack.count - needle.count)).first { haystack[$0..<($0 + needle.count)].elementsEqual(needle) }
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t {
    var thread = pthread_t()
    let box = Unmanaged.passRetained(ThreadBody(body)).toOpaque()
    let code = pthread_create(
        &thread, nil,
        { context in
            Unmanaged<ThreadBody>.fromOpaque(context!).takeRetainedValue().run()
            return nil
        }, box)
    precondition(code == 0)
    return thread
}
