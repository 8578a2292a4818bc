import Foundation
import Testing

/// A denied release says which clause of the key's policy the token fails.
@Suite(.serialized) struct DenialDetailsTests {
    @Test("a wrong host data is named with the wanted and the actual value, in the answer and in the log") func hostData() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let wanted = String(repeating: "ab", count: 32)
        try azure.importKey(
            "other", at: LocalAzure.managedHSM, SampleKeys.oct(32),
            policy: LocalAzure.policy([["claim": "x-ms-sevsnpvm-hostdata", "equals": wanted]]))
        let broker = try azure.serve(["key-stores.use=mhsm"])
        let release = try broker.release("other")
        #expect(release.status == 403 && release.code == "releaseDenied", "\(release.answer)")
        let details = try #require(release.answer["details"] as? [String: Any])
        #expect(details["cause"] as? String == "policy-not-satisfied")
        let authority = try #require((details["authorities"] as? [[String: Any]])?.first)
        #expect(authority["match"] as? String == "exact")
        let conditions = (authority["conditions"] as? [String: Any])?["conditions"] as? [[String: Any]] ?? []
        let failing = conditions.filter { $0["satisfied"] as? Bool == false }
        #expect(failing.count == 1 && conditions.count == 3)
        #expect(failing.first?["claim"] as? String == "x-ms-sevsnpvm-hostdata")
        #expect(failing.first?["wanted"] as? String == wanted)
        #expect((failing.first?["actual"] as? String)?.count == 64)
        #expect((details["next_steps"] as? [String])?.isEmpty == false)
        #expect(broker.program.stop() == 0)
        #expect(broker.program.output.contains("policy-not-satisfied"))
        #expect(broker.program.output.contains("x-ms-sevsnpvm-hostdata"))
        #expect(!broker.program.output.contains("eyJ"))
    }

    @Test("where the broker's identity may not read the key, that is said, and what would help") func unreadable() throws {
        let azure = try LocalAzure(["--deny", "get"])
        defer { azure.stop() }
        let wanted = String(repeating: "ab", count: 32)
        try azure.importKey(
            "other", at: LocalAzure.managedHSM, SampleKeys.oct(32),
            policy: LocalAzure.policy([["claim": "x-ms-sevsnpvm-hostdata", "equals": wanted]]))
        let broker = try azure.serve(["key-stores.use=mhsm"])
        let release = try broker.release("other")
        #expect(release.status == 403 && release.code == "releaseDenied", "\(release.answer)")
        let details = try #require(release.answer["details"] as? [String: Any])
        #expect(details["cause"] as? String == "policy-not-satisfied")
        #expect((details["summary"] as? String)?.contains("may not read the key (permission 'get')") == true)
        #expect((details["authorities"] as? [Any] ?? []).isEmpty)
        #expect((details["next_steps"] as? [String] ?? []).contains { $0.contains("the key permission 'get'") })
        #expect(!"\(details)".contains(wanted))
    }

    @Test("a permission that the simulators do not know is a usage error") func unknownPermission() throws {
        let result = try Program.run(["simulate", "--deny", "everything"])
        #expect(result.status == 64 && result.errors.contains("get"))
    }
}
