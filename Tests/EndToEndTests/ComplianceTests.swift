import Foundation
import SNPFixture
import OpenSSLCrypto
import Testing

/// The release policies of `policies/`, met and denied offline: fixture evidence with and without endorsements of the fixture's own.
@Suite(.serialized) struct ComplianceTests {
    @Test("the shipped policies for containers are met by an endorsed fixture guest and deny one that is not endorsed") func shipped()
        throws
    {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let hostData = Hex.encode(DigestAlgorithm.sha256.digest(SamplePolicy.bytes))
        var names: [String] = []
        for file in ["confidential-aci", "virtual-nodes", "staged-rollout", "multi-region"] {
            let text = try String(
                contentsOf: Program.packageRoot.appending(path: "policies/release/\(file).json"), encoding: .utf8)
            #expect(text.contains("azure-compliant-uvm"), "\(file)")
            // Authority and host data are the examples' own; everything else is the policy as it is shipped.
            let own = text.replacing(/https:\/\/shared[a-z0-9.]+\.attest\.azure\.net/) { _ in "https://\(LocalAzure.authority)" }
                .replacing(/"[0-9a-f]{64}"/) { _ in "\"\(hostData)\"" }
            let policy = try #require(try JSONSerialization.jsonObject(with: Data(own.utf8)) as? [String: Any])
            let answer = try azure.importKey(file, at: LocalAzure.managedHSM, SampleKeys.oct(32), policy: policy)
            #expect(answer.status == 200, "\(file): \(answer.object)")
            names.append(file)
        }
        let endorsed = try azure.serve(["key-stores.use=mhsm"])
        let plain = try azure.serve(["key-stores.use=mhsm", "evidence.fixture.endorse-measurement=false"])
        for name in names {
            let released = try endorsed.release(name)
            #expect(released.status == 200, "\(name): \(released.answer)")
            let denied = try plain.release(name)
            #expect(denied.status == 403 && denied.code == "releaseDenied", "\(name): \(denied.answer)")
        }
        endorsed.program.stop()
        plain.program.stop()
    }
}
