import Foundation
import Synchronization
import Testing

/// The built program, run as its users run it.
enum Program {
    static let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The executable that was built together with this test bundle.
    static let executable = executable("attestation-broker")

    static func executable(_ name: String) -> URL {
        let arguments = CommandLine.arguments
        var candidates: [URL] = []
        if let flag = arguments.firstIndex(of: "--test-bundle-path"), flag + 1 < arguments.count {
            candidates.append(URL(filePath: arguments[flag + 1]))
        }
        candidates.append(URL(filePath: arguments[0]))
        candidates.append(packageRoot.appending(path: ".build/debug/x"))
        let found = candidates.map { $0.deletingLastPathComponent().appending(path: name) }.first {
            FileManager.default.isExecutableFile(atPath: $0.path)
        }
        return found ?? URL(filePath: "/nonexistent/\(name)")
    }

    struct Result {
        let status: Int32
        let output: Data
        let errors: String

        var text: String { String(decoding: output, as: UTF8.self) }
        var json: Any? { try? JSONSerialization.jsonObject(with: output) }
        var object: [String: Any] { json as? [String: Any] ?? [:] }
    }

    /// The environment without anything that configures a broker.
    static func environment(_ extra: [String: String] = [:]) -> [String: String] {
        let inherited = ProcessInfo.processInfo.environment.filter { name, _ in
            !name.hasPrefix("BROKER_") && !name.hasPrefix("AZURE_") && !["Port", "LogLevel", "LogFile"].contains(name)
        }
        return inherited.merging(extra) { $1 }
    }

    /// Runs the program to its end. Output goes through files, so that no pipe can fill up.
    static func run(
        _ arguments: [String], environment extra: [String: String] = [:], input: Data? = nil, executable: URL = Program.executable
    ) throws -> Result {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let out = try scratch.write("out", Data())
        let err = try scratch.write("err", Data())
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = environment(extra)
        process.standardInput = if let input { try FileHandle(forReadingFrom: scratch.write("in", input)) } else { FileHandle.nullDevice }
        process.standardOutput = try FileHandle(forWritingTo: out)
        process.standardError = try FileHandle(forWritingTo: err)
        try process.run()
        let watchdog = Watchdog(process.processIdentifier)
        process.waitUntilExit()
        watchdog.cancel()
        return Result(
            status: process.terminationStatus, output: try Data(contentsOf: out),
            errors: String(decoding: try Data(contentsOf: err), as: UTF8.self))
    }
}

/// Ends a process that outlives every reasonable test, so that a hang is a failure and not a silence.
final class Watchdog {
    static let limit: TimeInterval = 900
    private let timer: DispatchWorkItem

    init(_ process: Int32) {
        timer = DispatchWorkItem { kill(process, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.limit, execute: timer)
    }

    func cancel() { timer.cancel() }
}

/// A directory that a test may fill.
struct Scratch {
    let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "attestation-broker-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    var path: String { directory.path }

    @discardableResult func write(_ name: String, _ data: Data) throws -> URL {
        let file = directory.appending(path: name)
        try data.write(to: file)
        return file
    }

    @discardableResult func write(_ name: String, _ text: String) throws -> String { try write(name, Data(text.utf8)).path }

    /// A copy that can be executed. A child writes it: if this process had it open, a process that another test starts at that moment would
    /// hold it open too, and to execute it would fail with "Text file busy".
    @discardableResult func install(_ program: URL, as name: String) throws -> URL {
        let copy = directory.appending(path: name)
        let result = try Program.run(["-m", "755", program.path, copy.path], executable: URL(filePath: "/usr/bin/install"))
        try #require(result.status == 0, "\(result.errors)")
        return copy
    }

    func remove() { try? FileManager.default.removeItem(at: directory) }
}

/// The program as a server. Ended by `stop`, or with the test process.
final class RunningProgram {
    private let process = Process()
    private let pipe = Pipe()
    private let collected = Mutex("")
    private let reader: FileHandle
    private var watchdog: Watchdog?

    /// Starts the program; its standard output and standard error are read together.
    init(_ arguments: [String], environment extra: [String: String] = [:], executable: URL = Program.executable) throws {
        process.executableURL = executable
        process.arguments = arguments
        process.environment = Program.environment(extra)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        reader = pipe.fileHandleForReading
        try process.run()
        watchdog = Watchdog(process.processIdentifier)
        try? pipe.fileHandleForWriting.close()
    }

    /// Everything that was read so far.
    var output: String { collected.withLock { $0 } }
    var identifier: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    /// Reads until the output contains a match and returns its first capture; throws when the program ends before.
    func wait(for pattern: Regex<(Substring, Substring)>) throws -> String {
        while true {
            if let match = output.firstMatch(of: pattern) { return String(match.1) }
            try readMore()
        }
    }

    func wait(for text: String) throws { while !output.contains(text) { try readMore() } }

    /// Reads what is there, without waiting for more.
    func readAvailable() {
        var pending = pollfd(fd: reader.fileDescriptor, events: Int16(POLLIN), revents: 0)
        while poll(&pending, 1, 0) == 1, pending.revents & Int16(POLLIN) != 0 { guard (try? readMore()) != nil else { return } }
    }

    private func readMore() throws {
        let data = reader.availableData
        guard !data.isEmpty else { throw Ended(output: output) }
        collected.withLock { $0 += String(decoding: data, as: UTF8.self) }
    }

    /// Sends a signal and waits for the end; returns the exit status.
    @discardableResult func stop(_ signal: Int32 = SIGTERM) -> Int32 {
        if process.isRunning { kill(process.processIdentifier, signal) }
        while let data = try? reader.read(upToCount: 65536), !data.isEmpty {
            collected.withLock { $0 += String(decoding: data, as: UTF8.self) }
        }
        process.waitUntilExit()
        watchdog?.cancel()
        return process.terminationStatus
    }

    deinit {
        watchdog?.cancel()
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    struct Ended: Error, CustomStringConvertible {
        let output: String
        var description: String { "the program ended; it had written:\n\(output)" }
    }
}
