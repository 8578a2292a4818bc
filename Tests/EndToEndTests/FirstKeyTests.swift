import Foundation
import Testing

/// README's way from the clone to a key in a Python program, walked as it is written.
@Suite struct FirstKeyTests {
    /// The section's lines that are set off: commands, and at its end the program.
    static func lines() throws -> [String] {
        let readme = try String(contentsOf: Program.packageRoot.appending(path: "README.md"), encoding: .utf8)
        let section = try #require(readme.components(separatedBy: "\n## ").first { $0.hasPrefix("A key for your program") })
        return section.split(separator: "\n").filter { $0.hasPrefix("    ") }.map { String($0.dropFirst(4)) }
    }

    /// The ports of the page are fixed, so that the walk has a network of its own.
    private static let namespace = ["--net", "/bin/bash", "-c"]
    private static let unshare = URL(filePath: "/usr/bin/unshare")
    private static let isPossible = (try? Program.run(namespace + ["true"], executable: unshare))?.status == 0

    @Test("from the clone to a key in at most eight commands", .enabled(if: isPossible, "no network namespace, or not root"))
    func walk() throws {
        let lines = try Self.lines()
        let program = try String(contentsOf: Program.packageRoot.appending(path: "samples/clients/first.py"), encoding: .utf8)
        let commands = lines.dropLast(5)
        #expect(commands.count <= 8 && lines.suffix(5).joined(separator: "\n") + "\n" == program)
        #expect(commands.prefix(2).joined().contains("git clone") && commands.contains("./samples/demo.sh"))

        // What the clone and the build of the demo leave.
        let scratch = try Scratch()
        defer { scratch.remove() }
        for name in ["samples", "policies"] {
            try FileManager.default.createSymbolicLink(
                at: scratch.directory.appending(path: name), withDestinationURL: Program.packageRoot.appending(path: name))
        }
        try FileManager.default.createDirectory(at: scratch.directory.appending(path: ".build"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            at: scratch.directory.appending(path: ".build/debug"), withDestinationURL: Program.executable.deletingLastPathComponent())
        let up = "import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sH14s', b'lo', 0x41, b''))"
        var script = ["set -e", "trap 'kill $(jobs -p); wait' EXIT", "cd '\(scratch.path)'", "python3 -c \"\(up)\""]
        for (number, command) in commands.enumerated() where !command.contains("git clone") && command != "./samples/demo.sh" {
            guard command.hasSuffix(" &") else {
                script.append(command)
                continue
            }
            // Its reader waits until it says that it listens.
            script.append("\(command.dropLast(2)) >log\(number) 2>&1 &")
            script.append("until grep -q listening log\(number); do kill -0 $!; sleep 0.1; done")
        }
        let result = try Program.run(Self.namespace + [script.joined(separator: "\n")], executable: Self.unshare)
        #expect(result.status == 0 && result.text.hasSuffix("released a key of type RSA\n"), "\(result.text)\(result.errors)")
    }
}
