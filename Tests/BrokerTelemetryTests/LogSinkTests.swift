import Glibc
import Logging
import Synchronization
import Testing

@testable import BrokerTelemetry

@Suite("Log sinks")
struct LogSinkTests {
    /// A directory of its own for one test, removed by the caller.
    private func directory() throws -> String {
        var template = Array("/tmp/broker-log-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LogSink.Failure(description: "no directory") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func content(_ path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LogSink.Failure(description: "cannot open") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    @Test("a file is made for its owner alone and appended to")
    func files() throws {
        let directory = try directory()
        let path = directory + "/log"
        defer {
            unlink(path)
            rmdir(directory)
        }
        try LogSink.file(path).write(Array("one\n".utf8))
        try LogSink.file(path).write(Array("two\n".utf8))
        #expect(try content(path) == "one\ntwo\n")
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test("a link, a directory, a FIFO and a missing directory are refused; a device is not")
    func refusedFiles() throws {
        let directory = try directory()
        let link = directory + "/link"
        let fifo = directory + "/fifo"
        defer {
            unlink(link)
            unlink(fifo)
            rmdir(directory)
        }
        #expect(symlink("/dev/null", link) == 0)
        #expect(mkfifo(fifo, 0o600) == 0)
        for path in [link, fifo, directory, directory + "/missing/log", ""] {
            #expect(throws: LogSink.Failure.self, "\(path)") { try LogSink.file(path) }
        }
        _ = try LogSink.file("/dev/null")
    }

    @Test("a closed pipe costs lines, not the process")
    func closedPipe() async throws {
        // In a process of its own: the default disposition of SIGPIPE, which ends the process, must not reach other tests.
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let pipe = try Pipe()
            pipe.closeReader()
            let logger = Logger(label: "l") { BrokerLogHandler(label: $0, sink: pipe.sink) }
            for _ in 0..<3 { logger.info("nobody reads this") }
            var pending = sigset_t()
            guard pipe.sink.droppedLines == 3, sigpending(&pending) == 0, sigismember(&pending, SIGPIPE) == 0 else {
                exit(1)
            }
        }
    }

    @Test("a full device costs lines, not the process")
    func fullDevice() throws {
        let sink = try LogSink.file("/dev/full")
        sink.write(Array("line\n".utf8))
        #expect(sink.droppedLines == 1)
    }

    @Test("a reader that has stalled holds up one line, and what follows starts on a line of its own")
    func stalledReader() throws {
        let pipe = try Pipe()
        // Three pieces each, so that one line is torn when the pipe's sixteen pages are full.
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 8999) + [UInt8(ascii: "\n")]
        let duration = ContinuousClock().measure {
            for _ in 0..<200 { pipe.sink.write(line) }
        }
        #expect(pipe.sink.droppedLines > 150)
        #expect(duration < .seconds(10))
        let before = pipe.text()
        pipe.sink.write(Array("after\n".utf8))
        let lines = (before + pipe.text()).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.suffix(2) == ["after", ""])
        let torn = lines.dropLast(2).filter { $0.utf8.count != 8999 }
        #expect(torn.count == 1)
        #expect(torn == [lines[lines.count - 3]])
    }

    @Test("lines of many threads do not mix")
    func threads() async throws {
        let directory = try directory()
        let path = directory + "/log"
        defer {
            unlink(path)
            rmdir(directory)
        }
        let sink = try LogSink.file(path)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    let logger = Logger(label: "l") { BrokerLogHandler(label: $0, sink: sink) }
                    for number in 0..<50 {
                        logger.info("task \(task) line \(number) \(String(repeating: "y", count: 700)) end")
                    }
                }
            }
        }
        let lines = try content(path).split(separator: "\n")
        #expect(lines.count == 400)
        #expect(lines.allSatisfy { $0.contains(" info l task ") && $0.hasSuffix("y end") })
    }
}
