import Glibc

@testable import BrokerObservability

/// A sink whose lines a test reads back.
final class Pipe {
    let sink: LogSink
    private let reader: Int32

    init(_ format: LogLineFormat = .text) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw LogSink.Failure(description: "no pipe") }
        reader = ends[0]
        sink = LogSink(descriptor: ends[1], isOwned: true, format: format)
        _ = fcntl(reader, F_SETFL, O_NONBLOCK)
    }

    /// What was logged since the last call, as far as the pipe has room for it.
    func text() -> String {
        sink.flush(milliseconds: 60_000)
        return readable()
    }

    /// What is in the pipe; nothing is waited for.
    func readable() -> String {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(reader, &chunk, chunk.count)
            guard count > 0 else { return String(decoding: result, as: UTF8.self) }
            result += chunk[..<count]
        }
    }

    private(set) var isReaderClosed = false

    func closeReader() {
        isReaderClosed = true
        close(reader)
    }

    deinit { if !isReaderClosed { close(reader) } }
}
