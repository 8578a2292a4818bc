import Foundation
import Testing

/// `Tests/Benchmarks/storm`, small: callers who ask at once while the store throttles and one of two authorities is down.
@Suite struct StormTests {
    private static let script = Program.packageRoot.appending(path: "Tests/Benchmarks/storm").path

    @Test("everybody has their key, no store is asked more often than it allows, and sessions cost one attestation and one operation a key")
    func storm() throws {
        let result = try Program.run(
            [
                Self.script, "--broker", Program.executable.path, "--callers", "60", "--keys", "6", "--allowed", "20", "--window", "2",
                // How late an answer is says how busy the machine is; the program's own deadline stays as it is.
                "--deadline", "600", "--limit", "3600", "--json",
            ], executable: URL(filePath: "/usr/bin/python3"))
        #expect(result.status == 0, "\(result.text)\(result.errors)")
        let results = try #require(result.object["results"] as? [String: [String: Any]])
        let sessions = try #require(results["sessions"])
        #expect(sessions["served"] as? Int == 60 && (sessions["attestations"] as? Int ?? 99) <= 2, "\(sessions)")
        #expect((sessions["store operations"] as? Int ?? 99) <= 20, "\(sessions)")
        let single = try #require(results["single use"])
        #expect(single["served"] as? Int == 60 && (single["attestations"] as? Int ?? 0) >= 60, "\(single)")
        #expect(result.object["faults"] as? [String] == [])
    }
}
