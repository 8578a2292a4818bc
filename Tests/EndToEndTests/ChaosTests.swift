import Foundation
import Testing

/// `Tests/Chaos`, short: a seed of each program, and two violations that have to be noticed.
@Suite(.serialized) struct ChaosTests {
    private static func run(_ script: String, _ options: [String]) throws -> Program.Result {
        let path = Program.packageRoot.appending(path: "Tests/Chaos/\(script)").path
        return try Program.run(
            [path, "--broker", Program.executable.path] + options, executable: URL(filePath: "/usr/bin/python3"))
    }

    @Test("no wrong key, no key without policy and line, one typed answer to each, whatever fails")
    func chaos() throws {
        // Recovery has a minute: other tests use the machine too.
        let result = try Self.run("chaos.py", ["--seed", "3", "--seconds", "15", "--callers", "8", "--recovery", "60"])
        #expect(result.status == 0, "\(result.text)\(result.errors)")
        #expect(result.text.contains("violated: none"))
    }

    @Test("a wrong key and a key that its policy denies are noticed")
    func planted() throws {
        let result = try Self.run("chaos.py", ["--selftest", "wrong-key,policy", "--callers", "8", "--recovery", "60"])
        #expect(result.status == 0, "\(result.text)\(result.errors)")
        #expect(result.text.contains("selftest wrong-key: noticed") && result.text.contains("selftest policy: noticed"))
    }

    @Test("hostile connections do not keep others from their keys, and leave no memory and no descriptors behind")
    func hostile() throws {
        let result = try Self.run(
            "hostile.py",
            [
                "--seconds", "1", "--loris", "100", "--body", "30", "--connections", "200", "--requests", "150", "--no-times",
            ])
        #expect(result.status == 0, "\(result.text)\(result.errors)")
        #expect(result.text.contains("slow-loris") && !result.text.contains("MISSED"))
    }
}
