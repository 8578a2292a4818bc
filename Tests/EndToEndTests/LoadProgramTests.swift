import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct LoadProgramTests {
    @Test("counts answers, keeps other statuses apart and looks at the server's process") func load() throws {
        let broker = try Broker(["serve"], environment: ["BROKER_SERVER_HTTP": "127.0.0.1:0", "BROKER_EVIDENCE_USE": "snp"])
        func bench(_ path: String, _ options: [String]) throws -> Program.Result {
            try Program.run(
                ["--json", "--url", "http://127.0.0.1:\(broker.port)\(path)", "--warm-up", "0"] + options,
                executable: Program.executable("broker-load"))
        }
        let status = try bench("/status", ["--requests", "60", "--connections", "3", "--duration", "60"])
        #expect(status.status == 0, "\(status.errors)")
        // Answers that were under way when the last one was counted are not.
        #expect(status.object["succeeded"] as? Int == 60)
        #expect(status.object["failed"] as? Int == 0)
        let times = try #require(status.object["latency_us"] as? [String: Double])
        let ordered = ["p50", "p90", "p99", "p99.9", "max"].compactMap { times[$0] }
        #expect(ordered.count == 5 && ordered == ordered.sorted() && (ordered.first ?? 0) > 0)

        let paced = try bench("/status", ["--requests", "20", "--rate", "200", "--duration", "60"])
        #expect(paced.object["succeeded"] as? Int == 20)
        // Twenty requests, 5 ms apart: the last is due 95 ms after the first.
        #expect((paced.object["seconds"] as? Double ?? 0) >= 0.095)

        let refused = try bench("/key/release", ["--requests", "5", "--duration", "60", "--kid", "k"])
        #expect(refused.status == 1, "no answer was a success")
        #expect(refused.object["succeeded"] as? Int == 0)
        #expect((refused.object["statuses"] as? [String: Int])?.values.reduce(0, +) == 5)
        #expect(refused.errors.contains("next:"))
    }

    @Test("a server that is not there is said in one line") func unreachable() throws {
        let result = try Program.run(
            ["--url", "http://127.0.0.1:1/status", "--warm-up", "0"], executable: Program.executable("broker-load"))
        #expect(result.status == 2)
        #expect(result.errors.contains("cannot be reached"))
    }

    @Test(
        "mistakes are usage errors",
        arguments: [
            ["--url", "https://localhost/status"], ["--url", "http://localhost:0/"], ["--url", "http:///status"], ["--url", "http://a b/"],
            ["--url", "http://localhost/", "--connections", "0"], ["--url", "http://localhost/", "--duration", "0"],
            ["--url", "http://localhost/", "--rate", "0"], ["--url", "http://localhost/", "--kid", "k", "--body", "{}"],
            ["--url", "http://localhost/", "--akv-endpoint", "x.vault.azure.net"],
        ]) func usage(arguments: [String]) throws
    { #expect(try Program.run(arguments, executable: Program.executable("broker-load")).status == 64) }
}
