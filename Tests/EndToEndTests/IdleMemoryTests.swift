import Foundation
import Testing

/// A broker that has nothing to do holds little, and works on when it is wanted again.
@Suite(.timeLimit(.minutes(3)))
struct IdleMemoryTests {
    /// Kilobytes that are resident because a file is mapped.
    private static func fileBacked(_ process: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssFile:") })
        return try #require(Int(line.filter(\.isNumber)))
    }

    @Test("after a quiet time the pages of the start are given back, and requests are served as before")
    func release() throws {
        let broker = try Broker(
            [
                "serve", "--set", "evidence.use=fixture", "--set", "server.http=127.0.0.1:0", "--set",
                "identity.use=none",
            ])
        let report = try broker.post("/attest/raw", ["runtime_data": "AAAA"])
        #expect(report.status == 200)
        let busy = try Self.fileBacked(broker.program.identifier)
        // The kernel's counter changes when the broker's timer fires, so there is nothing to wait on but it.
        let end = ContinuousClock.now + .seconds(60)
        var idle = busy
        while idle > busy / 2, ContinuousClock.now < end {
            usleep(100_000)
            idle = try Self.fileBacked(broker.program.identifier)
        }
        #expect(idle <= busy / 2, "\(busy) kB before, \(idle) kB after")
        #expect(try broker.post("/attest/raw", ["runtime_data": "AAAA"]).status == 200)
        #expect(try broker.get("/status").status == 200)
        #expect(broker.program.stop() == 0)
    }
}
