import BrokerCore
import Dispatch
import Glibc
import Logging
import Synchronization
import Testing
import Waiting

@testable import BrokerObservability

/// Nothing leaves without its line, and the next one does after the repair.
@Suite("The audit") struct AuditLogTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func record(_ id: String = "r", key: String = "k") -> RequestRecord {
        var caller = Caller(.unix)
        (caller.uid, caller.gid, caller.pid) = (1000, 100, 4242)
        var record = RequestRecord(requestID: id, caller: caller)
        record.route = "POST /key/release"
        record.key = KeyName(key)
        return record
    }

    private static func log(
        _ path: String, maximumSize: Int = 0, key: AuditKey? = nil, flush: AuditFlush = .batch, isRequired: Bool = true
    ) -> AuditLog {
        AuditLog(path: path, maximumSize: maximumSize, key: key, flush: flush, isRequired: isRequired, logger: logger)
    }

    /// A log that has its file: an earlier one of this test may still be closing it.
    private static func opened(_ path: String) -> AuditLog {
        while true {
            let log = log(path)
            if log.start() == nil { return log }
            sched_yield()
        }
    }

    private static func outcome(_ log: AuditLog, _ record: RequestRecord = AuditLogTests.record()) async -> BrokerError? {
        do throws(BrokerError) {
            try await log.willAnswer(record)
            return nil
        } catch { return error }
    }

    private static func verified(_ paths: [String], head: String? = nil, key: AuditKey? = nil) throws -> AuditVerifier {
        var verifier = AuditVerifier()
        for path in paths { verifier.read(try BoundedFile.read(path, limit: 1 << 24), file: path) }
        verifier.finish(head: try? BoundedFile.read(head ?? AuditFile.headPath(paths.last ?? ""), limit: 1024), key: key)
        return verifier
    }

    private static func lines(_ path: String) throws -> [AuditLine] {
        try BoundedFile.read(path, limit: 1 << 24).split(separator: UInt8(ascii: "\n")).compactMap { AuditLine(Array($0)) }
    }

    @Test("an answer leaves when its line is in the file, and the chain holds", arguments: AuditFlush.allCases)
    func written(_ flush: AuditFlush) async throws {
        let directory = try ScratchDirectory()
        let log = Self.log(directory.file("audit"), flush: flush)
        #expect(log.start() == nil)
        for number in 0..<20 {
            #expect(await Self.outcome(log, Self.record("r\(number)")) == nil)
            #expect(try Self.lines(directory.file("audit")).last?.text("request_id") == "r\(number)")
        }
        var failed = Self.record("no")
        failed.error = BrokerError(.releaseDenied, at: .release, "secret-free words")
        log.completed(failed)
        #expect(log.settle(milliseconds: 60_000))
        let verifier = try Self.verified([directory.file("audit")])
        #expect(verifier.findings.isEmpty && verifier.notes.isEmpty && verifier.summary.lines == 22)
        let last = try #require(try Self.lines(directory.file("audit")).last)
        #expect(last.text("code") == "releaseDenied" && last.text("outcome") == "failed" && last.text("stage") == "release")
        #expect(log.statistics.linesWritten == 21 && log.statistics.linesFailed == 0)
    }

    @Test("a full disk, a missing directory and a file that is none keep every answer back and say why") func unwritable() async throws {
        let directory = try ScratchDirectory()
        for (path, words) in [
            ("/dev/full", "No space left on device"), (directory.file("none/audit"), "No such file or directory"),
            (directory.path, "is not a regular file"),
        ] {
            let log = Self.log(path)
            let error = try #require(await Self.outcome(log))
            #expect(error.code == .auditUnavailable && error.isRetryable && error.message.contains(words), "\(error.message)")
            #expect(log.obstacles.first?.contains(words) == true)
        }
        // Where it is not required, the key leaves.
        #expect(await Self.outcome(Self.log("/dev/full", isRequired: false)) == nil)
    }

    @Test("the next answer after the repair leaves, and the chain goes on") func repaired() async throws {
        let directory = try ScratchDirectory()
        let log = Self.log(directory.file("sub/audit"))
        #expect(await Self.outcome(log)?.code == .auditUnavailable)
        #expect(mkdir(directory.file("sub"), 0o700) == 0)
        #expect(await Self.outcome(log, Self.record("after")) == nil)
        #expect(try Self.verified([directory.file("sub/audit")]).findings.isEmpty)
        // Deleted under the broker's hands: a new file, the same chain.
        #expect(unlink(directory.file("sub/audit")) == 0)
        #expect(await Self.outcome(log, Self.record("again")) == nil)
        let lines = try Self.lines(directory.file("sub/audit"))
        #expect(lines.map(\.sequence) == [3, 4] && lines[0].event == "opened")
    }

    @Test("a full file system", .enabled(if: geteuid() == 0 && Tmpfs.isAvailable, "mounting needs root and tmpfs"))
    func fullFileSystem() async throws {
        let directory = try ScratchDirectory()
        let mount = try Tmpfs(directory.file("small"), bytes: 64 << 10)
        defer { mount.unmount() }
        let log = Self.log(mount.path + "/audit")
        var released = 0
        while await Self.outcome(log, Self.record("r\(released)")) == nil { released += 1 }
        #expect(released > 10)
        #expect(await Self.outcome(log)?.message.contains("No space left on device") == true)
        #expect(try Self.verified([mount.path + "/audit"]).findings.isEmpty)
        mount.resize(bytes: 1 << 20)
        #expect(await Self.outcome(log, Self.record("repaired")) == nil)
        let verifier = try Self.verified([mount.path + "/audit"])
        #expect(verifier.findings.isEmpty)
    }

    @Test("a read-only file system", .enabled(if: geteuid() == 0 && Tmpfs.isAvailable, "mounting needs root and tmpfs"))
    func readOnlyFileSystem() async throws {
        let directory = try ScratchDirectory()
        let mount = try Tmpfs(directory.file("small"), bytes: 64 << 10)
        defer { mount.unmount() }
        mount.remount("ro")
        let log = Self.log(mount.path + "/audit")
        let error = try #require(await Self.outcome(log))
        #expect(error.code == .auditUnavailable && error.message.contains("Read-only file system"))
        #expect(log.obstacles.first?.contains("Read-only file system") == true)
        mount.remount("rw")
        #expect(await Self.outcome(log, Self.record("repaired")) == nil)
        #expect(log.obstacles.isEmpty)
        #expect(try Self.verified([mount.path + "/audit"]).findings.isEmpty)
    }

    @Test("a pipe whose reader leaves keeps answers back until another one comes") func pipes() async throws {
        let directory = try ScratchDirectory()
        let path = directory.file("fifo")
        #expect(mkfifo(path, 0o600) == 0)
        let log = Self.log(path)
        #expect(await Self.outcome(log)?.message.contains("nobody reads it") == true)
        var reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        #expect(await Self.outcome(log) == nil)
        close(reader)
        let error = try #require(await Self.outcome(log))
        #expect(error.code == .auditUnavailable && error.message.contains("Broken pipe"))
        reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { close(reader) }
        #expect(await Self.outcome(log) == nil)
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(reader, &bytes, bytes.count)
        #expect(bytes.prefix(max(0, count)).split(separator: UInt8(ascii: "\n")).allSatisfy { AuditLine(Array($0)) != nil })
    }

    @Test("a flush that hangs keeps its answers back for their time and no longer") func stalled() async throws {
        let storage = StallingStorage()
        let log = AuditLog(storage, flush: .batch, logger: Self.logger)
        #expect(await Self.outcome(log) == nil)
        storage.stall()
        let waiting = Task { await Self.outcome(log, Self.record("stalled")) }
        await storage.stalled()
        waiting.cancel()
        let error = try #require(await waiting.value)
        #expect(error.code == .auditUnavailable && error.message.contains("before the request's time was over"))
        storage.goOn()
        #expect(await Self.outcome(log, Self.record("after")) == nil)
    }

    @Test("a file that is long enough is put aside, and the chain goes on in the next") func rotation() async throws {
        let directory = try ScratchDirectory()
        let path = directory.file("audit")
        let log = Self.log(path, maximumSize: 4096)
        for number in 0..<20 { #expect(await Self.outcome(log, Self.record("r\(number)")) == nil) }
        let aside = AuditFiles.rotated(path)
        #expect(aside.count >= 2)
        let verifier = try Self.verified(aside + [path])
        #expect(verifier.findings.isEmpty && verifier.notes.isEmpty, "\(verifier.findings) \(verifier.notes)")
        // A file that is gone from the middle is noticed.
        #expect(try Self.verified([aside[0]] + aside.dropFirst(2) + [path]).findings.map(\.kind) == [.removed])
    }

    @Test("the chain goes on after a restart, and after somebody moved the file away") func restarts() async throws {
        let directory = try ScratchDirectory()
        let path = directory.file("audit")
        do {
            let log = Self.log(path)
            #expect(await Self.outcome(log) == nil)
            #expect(Self.log(path).start()?.contains("another process") == true)
        }
        #expect(await Self.outcome(Self.opened(path)) == nil)
        #expect(rename(path, directory.file("old")) == 0)
        let log = Self.opened(path)
        #expect(await Self.outcome(log) == nil)
        #expect(rename(path, directory.file("older")) == 0)
        log.reopen()
        #expect(await Self.outcome(log) == nil)
        let verifier = try Self.verified([directory.file("old"), directory.file("older"), path])
        #expect(verifier.findings.isEmpty && verifier.notes.isEmpty, "\(verifier.findings) \(verifier.notes)")
    }

    @Test("what an earlier run left of a line is ended and vouched for") func torn() async throws {
        let directory = try ScratchDirectory()
        let path = directory.file("audit")
        #expect(await Self.outcome(Self.log(path)) == nil)
        let descriptor = open(path, O_WRONLY | O_APPEND)
        #expect(write(descriptor, #"{"audit":1,"se"#, 14) == 14)
        close(descriptor)
        var last: BrokerError?
        repeat { last = await Self.outcome(Self.log(path)) } while last?.message.contains("another process") == true
        #expect(last == nil)
        let verifier = try Self.verified([path])
        #expect(verifier.findings.isEmpty && verifier.notes.count == 1, "\(verifier.findings) \(verifier.notes)")
    }

    @Test("a caller who is turned away again and again has ten lines a second, and the next one says how many are missing") func refusals()
    {
        let refusals = RepeatedRefusals()
        let start = ContinuousClock.now
        #expect((0..<10).allSatisfy { _ in refusals.note("uid:1", now: start) == 0 })
        #expect((0..<500).allSatisfy { _ in refusals.note("uid:1", now: start) == nil })
        #expect(refusals.note("uid:2", now: start) == 0)
        #expect(refusals.note("uid:1", now: start.advanced(by: .seconds(1))) == 500)
        #expect(refusals.note("uid:1", now: start.advanced(by: .seconds(1))) == 0)
    }

    @Test("with a key nobody else can write the head, and a changed last line stops the next run") func keys() async throws {
        let directory = try ScratchDirectory()
        let path = directory.file("audit")
        try directory.write("key", [UInt8](repeating: 7, count: 32))
        try directory.write("other", [UInt8](repeating: 8, count: 32))
        try directory.write("short", [UInt8](repeating: 8, count: 31))
        #expect(throws: BoundedFile.Failure.self) { try AuditKey(file: directory.file("short")) }
        let key = try AuditKey(file: directory.file("key"))
        let other = try AuditKey(file: directory.file("other"))
        #expect(await Self.outcome(Self.log(path, key: key)) == nil)
        #expect(try Self.verified([path], key: key).findings.isEmpty)
        #expect(try Self.verified([path], key: other).findings.map(\.kind) == [.head])
        var reason: String?
        repeat { reason = Self.log(path, key: other).start() } while reason?.contains("another process") == true
        #expect(reason?.contains("key-file") == true)
        var bytes = try BoundedFile.read(path, limit: 1 << 20)
        bytes[bytes.count - 100] ^= 1
        try directory.write("audit", bytes)
        repeat { reason = Self.log(path, key: key).start() } while reason?.contains("another process") == true
        #expect(reason?.contains("last line was changed") == true)
    }
}

/// A directory of its own, removed with everything in it.
final class ScratchDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/broker-audit-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LogSink.Failure(description: "no directory") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func file(_ name: String) -> String { path + "/" + name }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let descriptor = open(file(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0, Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw LogSink.Failure(description: name) }
        close(descriptor)
    }

    deinit { system("rm -rf '\(path)'") }
}

/// A small file system.
struct Tmpfs {
    let path: String

    static var isAvailable: Bool {
        guard let scratch = try? ScratchDirectory(), let mount = try? Tmpfs(scratch.file("m"), bytes: 65536) else { return false }
        mount.unmount()
        return true
    }

    init(_ path: String, bytes: Int) throws {
        self.path = path
        guard mkdir(path, 0o700) == 0, system("mount -t tmpfs -o size=\(bytes) tmpfs '\(path)' 2>/dev/null") == 0 else {
            throw LogSink.Failure(description: "no tmpfs")
        }
    }

    func resize(bytes: Int) { remount("size=\(bytes)") }

    func remount(_ options: String) { system("mount -o remount,\(options) '\(path)'") }

    func unmount() { system("umount -l '\(path)'") }
}

/// A storage whose flush waits when it is told to.
private final class StallingStorage: AuditStorage {
    private let isStalling = Mutex(false)
    private let gate = DispatchSemaphore(value: 0)
    private let reached = Waiter<Void>()

    func stall() { isStalling.withLock { $0 = true } }
    func stalled() async { _ = await reached.value(onCancel: { true }) }

    func goOn() {
        isStalling.withLock { $0 = false }
        gate.signal()
    }

    var mustOpen: Bool { false }
    func open() throws(AuditFailure) -> (position: AuditPosition?, torn: [UInt8]) { (nil, []) }
    func isFull(with count: Int) -> Bool { false }
    func rotate(_ last: AuditPosition) throws(AuditFailure) {}
    func append(_ bytes: [UInt8]) throws(AuditFailure) {}
    func note(_ last: AuditPosition) {}
    func close() {}

    func synchronize() throws(AuditFailure) {
        guard isStalling.withLock({ $0 }) else { return }
        reached.resume(())
        gate.wait()
    }
}
