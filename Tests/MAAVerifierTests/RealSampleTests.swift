import BrokerCore
import BrokerTestKit
import HTTPTransport
import OpenSSLCrypto
import StrictJSON
import Testing

/// A report of a real confidential container group and the token that MAA made of it (shared evidence, azure-aci-milan-v2-maa-token). The authority's key is not
/// in the sample, so the real claims are signed again here.
private enum RealSample {
    static let folder: String = {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        return root + "/../shared/evidence/azure-aci-milan-v2-maa-token"
    }()
    static var isPresent: Bool { (try? file("report.bin")) != nil }

    static func file(_ name: String) throws -> [UInt8] { try BoundedFile.read("\(folder)/\(name)", limit: 1 << 20) }

    static func evidence() throws -> Evidence {
        let chain = try Certificate.parse(pemOrDER: try file("vcek-cert-chain.pem"), maximumCount: 10)
        return Evidence(
            report: try file("report.bin"), endorsements: chain.map(\.der), endorsedTCB: "7308000000000003", provenance: .hardware)
    }
}

@Suite("A real report with its real claims", .enabled(if: RealSample.isPresent, "../shared/evidence is not there")) struct RealSampleTests {
    @Test("the claims match the report at our offsets") func claims() async throws {
        let payload = try RealSample.file("maa-token-claims.json")
        let clock = ManualClock(1_744_085_800)
        let crafted = try CraftedAuthority("sharedweu.weu.test.attest.azure.net", clock: clock) { _ in
            try JSONCursor.parse(payload).object()
        }
        #expect(await crafted.failure(try RealSample.evidence(), RuntimeData(Array("opaque".utf8))) == nil)
        clock.set(1_744_114_500 + 60)
        #expect(await crafted.failure(try RealSample.evidence(), RuntimeData(Array("opaque".utf8))) != nil)
    }

    @Test("one changed byte of the report makes them another machine's", arguments: [0x50, 0x8F, 0x90, 0xBF, 0xC0, 0xDF]) func otherReport(
        offset: Int
    ) async throws {
        let payload = try RealSample.file("maa-token-claims.json")
        let crafted = try CraftedAuthority("sharedweu.weu.test.attest.azure.net", clock: ManualClock(1_744_085_800)) { _ in
            try JSONCursor.parse(payload).object()
        }
        let real = try RealSample.evidence()
        var report = real.report
        report[offset] ^= 1
        let changed = Evidence(report: report, endorsements: real.endorsements, endorsedTCB: real.endorsedTCB, provenance: .hardware)
        #expect(await crafted.failure(changed, RuntimeData(Array("opaque".utf8)))?.code == .upstreamInvalid)
    }

    @Test("the bundle that we send says the same as the recorded one") func bundle() async throws {
        let fixture = try MAAFixture()
        let real = try RealSample.evidence()
        _ = try? await fixture.verifier.token(for: real, runtimeData: runtimeData(), from: fixture.authority.endpoint, in: .forTest())
        let body = try JSONCursor.parse(try #require(fixture.authority.requests.first?.body))
        let ours = try JSONCursor.parse(try #require(Base64.decodeURL(try body.string("report"))))
        let recorded = try JSONCursor.parse(try RealSample.file("maa-attest-report-field.json"))
        #expect(try ours.string("SnpReport") == recorded.string("SnpReport"))
        func chain(_ bundle: JSONCursor) throws -> [[UInt8]] {
            let pem = try #require(Base64.decodeURL(try bundle.string("VcekCertChain")))
            return try Certificate.parse(pemOrDER: pem, maximumCount: 10).map(\.der)
        }
        #expect(try chain(ours) == chain(recorded))
    }
}
