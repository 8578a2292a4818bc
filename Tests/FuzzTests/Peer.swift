import Foundation

/// A program of somebody else that reads the same input.
struct Peer {
    let path: String
    let arguments: [String]

    struct Failure: Error, CustomStringConvertible { let description: String }

    static let folder = CorpusFolder.root.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }

    static let python = "/usr/bin/python3"
    static let openssl = "/usr/bin/openssl"
    /// A Python with `cbor2`: `python3 -m venv ENV && ENV/bin/pip install cbor2`, then `FUZZ_TEST_PYTHON=ENV/bin/python3`.
    static let pythonWithCBOR = ProcessInfo.processInfo.environment["FUZZ_TEST_PYTHON"]

    /// A script of `Tests/Fuzz`.
    static func script(_ name: String, _ arguments: String..., python: String = python) -> Peer {
        Peer(path: python, arguments: ["\(folder)/\(name)"] + arguments)
    }

    /// What it writes when it reads `input`.
    func output(_ input: [UInt8]) throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("broker-fuzz-\(UUID().uuidString)")
        try Data(input).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let answer = Pipe()
        process.standardOutput = answer
        process.standardInput = try FileHandle(forReadingFrom: file)
        try process.run()
        let bytes = [UInt8](answer.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(path) \(arguments) ended with \(process.terminationStatus)")
        }
        return bytes
    }

    /// The lines that it answers to one line each.
    func lines(_ lines: [String]) throws -> [String] {
        let text = String(decoding: try output(Array((lines.joined(separator: "\n") + "\n").utf8)), as: UTF8.self)
        let answers = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        guard answers.count == lines.count else { throw Failure(description: "\(answers.count) answers to \(lines.count) lines") }
        return answers
    }
}
