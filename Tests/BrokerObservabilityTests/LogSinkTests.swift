import Glibc
import Logging
import Synchronization
import Testing

@testable import BrokerObservability

@Suite("Log sinks") struct LogSinkTests {
    /// A directory of its own for one test, removed by the caller.
    private func directory() throws -> String {
        var template = Array("/tmp/broker-log-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LogSink.Failure(description: "no directory") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func logger(_ sink: LogSink) -> Logger { Logger(label: "l") { BrokerLogHandler(label: $0, sink: sink) } }

    private func content(_ path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LogSink.Failure(description: "cannot open") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    @Test("a file is made for its owner alone and appended to") func files() throws {
        let directory = try directory()
        let path = directory + "/log"
        defer {
            unlink(path)
            rmdir(directory)
        }
        for text in ["one", "two"] {
            let sink = try LogSink.file(path, .text)
            logger(sink).info("\(text)")
            #expect(sink.flush(milliseconds: 60_000))
        }
        #expect(try content(path).split(separator: "\n").map { $0.suffix(3) } == ["one", "two"])
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test("a file that is long enough becomes FILE.1 and is begun anew") func rotation() throws {
        let directory = try directory()
        let path = directory + "/log"
        defer {
            unlink(path)
            unlink(path + ".1")
            rmdir(directory)
        }
        let sink = try LogSink.file(path, .text, rotate: 200)
        for number in 0..<10 { logger(sink).info("line \(number)") }
        #expect(sink.flush(milliseconds: 60_000) && sink.droppedLines == 0)
        let lines = try (content(path + ".1") + content(path)).split(separator: "\n").map { $0.suffix(1) }
        #expect(lines.last == "9" && lines.count >= 4 && lines == ((10 - lines.count)..<10).map { "\($0)".suffix(1) })
        #expect(try content(path).utf8.count <= 200 && content(path + ".1").utf8.count <= 200)
    }

    @Test("a link, a directory, a FIFO and a missing directory are refused; a device is not") func refusedFiles() throws {
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
            #expect(throws: LogSink.Failure.self, "\(path)") { try LogSink.file(path, .text) }
        }
        _ = try LogSink.file("/dev/null", .text)
    }

    @Test("a closed pipe costs lines, not the process") func closedPipe() async throws {
        // In a process of its own: the default disposition of SIGPIPE, which ends the process, must not reach other tests.
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let pipe = try Pipe()
            pipe.closeReader()
            let logger = Logger(label: "l") { BrokerLogHandler(label: $0, sink: pipe.sink) }
            for _ in 0..<3 { logger.info("nobody reads this") }
            guard pipe.sink.flush(milliseconds: 60_000) else { exit(2) }
            var pending = sigset_t()
            guard pipe.sink.droppedLines == 3, sigpending(&pending) == 0, sigismember(&pending, SIGPIPE) == 0 else { exit(1) }
        }
    }

    @Test("a full device costs lines, not the process") func fullDevice() throws {
        let sink = try LogSink.file("/dev/full", .text)
        logger(sink).info("line")
        #expect(sink.flush(milliseconds: 60_000))
        #expect(sink.droppedLines == 1)
    }

    @Test(
        "C8: nobody waits for a reader that has stalled, and what was lost is said when it is back", arguments: [LogLineFormat.text, .json])
    func stalledReader(format: LogLineFormat) async throws {
        let pipe = try Pipe(format)
        let logger = logger(pipe.sink)
        // Far more than the pipe and the queue hold; in the old days the writer waited here for the reader.
        for number in 0..<100_000 { logger.info("line number \(number)") }
        #expect(!pipe.sink.flush(milliseconds: 1))
        let dropped = pipe.sink.droppedLines
        #expect(dropped > 50_000)

        // The reader is back.
        var text = ""
        while !text.contains("log lines were dropped") {
            text += pipe.readable()
            await Task.yield()
        }
        logger.info("after")
        text += pipe.text()
        let lines = text.split(separator: "\n")
        #expect(lines.count { $0.contains("line number ") } == 100_000 - dropped)
        let notices = lines.filter { $0.contains("dropped") }
        #expect(notices.count == 1)
        #expect(notices.first?.contains("\(dropped) log lines were dropped") == true && notices.first?.contains("warning") == true)
        #expect(lines.last?.contains("after") == true)
        #expect(pipe.sink.droppedLines == dropped)
    }

    @Test("C8: the end of the program waits for the log, but not for ever") func flush() throws {
        let pipe = try Pipe()
        let logger = logger(pipe.sink)
        for number in 0..<1000 { logger.info("\(number)") }
        #expect(pipe.sink.flush(milliseconds: 60_000))
        #expect(pipe.readable().split(separator: "\n").count == 1000)
        logger.info("\(String(repeating: "x", count: 4000))")
        for _ in 0..<100 { logger.info("\(String(repeating: "x", count: 4000))") }
        #expect(!pipe.sink.flush(milliseconds: 10))
    }

    @Test("C14: a file that was moved away is opened anew") func reopened() throws {
        let directory = try directory()
        let (path, old) = (directory + "/log", directory + "/log.1")
        defer {
            unlink(path)
            unlink(old)
            rmdir(directory)
        }
        let sink = try LogSink.file(path, .text)
        logger(sink).info("one")
        #expect(sink.flush(milliseconds: 60_000))
        #expect(rename(path, old) == 0)
        logger(sink).info("two")
        sink.reopen()
        logger(sink).info("three")
        #expect(sink.flush(milliseconds: 60_000))
        #expect(try content(old).split(separator: "\n").map { $0.split(separator: " ").last } == ["one", "two"])
        #expect(try content(path).split(separator: "\n").map { $0.split(separator: " ").last } == ["three"])

        // Where there is nothing to open, the file that is open goes on and says so.
        #expect(unlink(path) == 0 && mkdir(path, 0o700) == 0)
        unlink(old)
        sink.reopen()
        logger(sink).info("four")
        #expect(sink.flush(milliseconds: 60_000))
        #expect(sink.droppedLines == 0)
        rmdir(path)
    }

    @Test("lines of many threads do not mix") func threads() async throws {
        let directory = try directory()
        let path = directory + "/log"
        defer {
            unlink(path)
            rmdir(directory)
        }
        let sink = try LogSink.file(path, .text)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    let logger = Logger(label: "l") { BrokerLogHandler(label: $0, sink: sink) }
                    for number in 0..<50 { logger.info("task \(task) line \(number) \(String(repeating: "y", count: 700)) end") }
                }
            }
        }
        #expect(sink.flush(milliseconds: 60_000))
        let lines = try content(path).split(separator: "\n")
        #expect(lines.count == 400)
        #expect(lines.allSatisfy { $0.contains(" info l task ") && $0.hasSuffix("y end") })
    }
}
