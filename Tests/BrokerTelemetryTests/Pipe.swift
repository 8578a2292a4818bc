import Glibc

@testable import BrokerTelemetry

/// A sink whose lines a test reads back.
final class Pipe {
    let sink: LogSink
    private let reader: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw LogSink.Failure(description: "no pipe") }
        reader = ends[0]
        sink = LogSink(descriptor: ends[1], isOwned: true)
        _ = fcntl(reader, F_SETFL, O_NONBLOCK)
    }

    /// What was written since the last call; nothing is waited for.
    func text() -> String {
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

    deinit {
        if !isReaderClosed { close(reader) }
    }
}
