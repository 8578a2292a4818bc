import EvidenceSamples
import OpenSSLCrypto
import PlainText
import SNPReport
import SNPVerification
import Testing

/// Verdicts on the evidence of 2026, as its READMEs expect them.
@Suite("Verdicts on the evidence of 2026", .enabled(if: NewerSample.isAvailable, "../shared/evidence-2026 is not there"))
struct NewerSampleTests {
    static let genuine: [(name: String, product: ProcessorProduct, version: UInt32)] = [
        ("azure-aci-turin-v5-tav", .turin, 5), ("bergamo-v5-attestation-rs-bin", .genoa, 5), ("google-milan-v5-teekit", .milan, 5),
        ("azure-cvm-milan-v3-hcl-trustee-v2", .milan, 3), ("azure-cvm-genoa-v3-hcl-trustee", .genoa, 3),
        ("azure-cvm-milan-v3-hcl-attestation-rs-nononce", .milan, 3),
    ]

    /// The certificates were issued in 2026 at the latest and hold until 2033.
    static let time: Int64 = 1_790_000_000

    static func verify(_ name: String, adjusting: (inout EvidenceVerifier.Policy) -> Void = { _ in }) throws -> VerificationResult {
        let sample = NewerSample(name)
        let certificates = try sample.chainPEM.flatMap { try Certificate.parse(pemOrDER: $0, maximumCount: 10) }
        var policy = EvidenceVerifier.Policy(time: time)
        adjusting(&policy)
        return EvidenceVerifier().verify(report: sample.file("report.bin"), certificates: certificates, policy: policy)
    }

    @Test("every genuine report is verified, and says what it was not asked", arguments: genuine.indices)
    func genuineReports(index: Int) throws {
        let expected = Self.genuine[index]
        let result = try Self.verify(expected.name)
        #expect(result.verdict == .verified, "\(expected.name): \(result.failures)")
        #expect(result.endorsement?.product == expected.product && result.report?.version == expected.version)
        let open = Set(result.notChecked.map(\.code))
        #expect(
            open == [
                "report-data", "host-data", "measurement", "id-key-digest", "vmpl", "revocation", "minimum-tcb", "mitigations",
                "platform-bits",
            ])
    }

    @Test("a fabricated report of version 1 is rejected by its version") func fabricated() throws {
        let result = try Self.verify("negative-v1-fake-hcsshim")
        #expect(result.verdict == .rejected && result.failures.contains("report-version"))
    }

    @Test("Azure's Turin has all mitigations of its vector and writes through a safe IOMMU") func turin() throws {
        let result = try Self.verify("azure-aci-turin-v5-tav") {
            $0.requiredMitigations = 0x3F
            $0.requiredPlatformBits = 1 << 6
            $0.minimumTCB = MinimumTCB(parsing: "fmc=1,bl=1,tee=1,snp=4,ucode=0x51")
        }
        #expect(result.verdict == .verified)
        let more = try Self.verify("azure-aci-turin-v5-tav") { $0.requiredMitigations = 0x40 }
        #expect(more.failures == ["mitigation-missing"])
    }

    @Test("AMD's lists of Milan and Genoa are judged by the clock") func revocationLists() throws {
        let folder = NewerSample("amd-crl-2024-2025")
        let lists = ["milan", "genoa"].map { RevocationRule.Source(name: $0, der: folder.file($0 + ".crl.der")) }
        let inForce: Int64 = 1_748_736_000  // 2025-06-01
        for (name, product) in [("azure-cvm-milan-v3-hcl-trustee-v2", "milan"), ("azure-cvm-genoa-v3-hcl-trustee", "genoa")] {
            let at = try #require(Certificate.parse(pemOrDER: NewerSample(name).chainPEM[0], maximumCount: 1).first).notBefore
            let then = try Self.verify(name) {
                $0.time = max(inForce, at)
                $0.revocation = RevocationRule(.staleOK(limit: 400 * 86_400), sources: lists)
            }
            #expect(then.failures == [] && then.isAcceptable, "\(product): \(then.failures)")
            let today = try Self.verify(name) { $0.revocation = RevocationRule(.required, sources: lists) }
            #expect(today.failures == ["crl-stale"] && today.verdict == .rejected)
        }
        // A Milan chain and the list of Genoa.
        let foreign = try Self.verify("azure-cvm-milan-v3-hcl-trustee-v2") {
            $0.revocation = RevocationRule(.required, sources: [lists[1]])
        }
        #expect(foreign.failures == ["crl-foreign"])
        let list = try RevocationList(der: folder.file("genoa.crl.der"))
        let ask = try #require(Certificate.parse(pemOrDER: folder.file("genoa-ask.pem"), maximumCount: 1).first)
        let ark = try #require(Certificate.parse(pemOrDER: folder.file("genoa-ark.pem"), maximumCount: 1).first)
        #expect(!list.revokes(ask) && list.isSigned(by: ark) && list.issuer == ark.subject && ask.serialNumberHex == "20002")
    }

    @Test(
        "the floors that Azure's hosts meet, and those that they do not",
        arguments: [
            ("azure-cvm-milan-v3-hcl-trustee-v2", "AMD-SB-3019", true), ("azure-cvm-milan-v3-hcl-trustee-v2", "azure-fleet", true),
            ("azure-cvm-milan-v3-hcl-trustee-v2", "AMD-SB-3020", false), ("azure-cvm-genoa-v3-hcl-trustee", "AMD-SB-3019", true),
            ("azure-cvm-genoa-v3-hcl-trustee", "AMD-SB-3016", false), ("azure-aci-turin-v5-tav", "AMD-SB-3020", true),
            ("azure-aci-turin-v5-tav", "AMD-SB-3023", true), ("azure-aci-turin-v5-tav", "AMD-SB-3016", true),
            ("azure-aci-turin-v5-tav", "azure-fleet", true), ("bergamo-v5-attestation-rs-bin", "AMD-SB-3023", true),
            ("google-milan-v5-teekit", "AMD-SB-3023", true), ("google-milan-v5-teekit", "AMD-SB-3030", false),
        ]) func floors(name: String, floor: String, isMet: Bool) throws
    {
        let preset = try #require(ProductTable.builtIn.floor(named: floor))
        let result = try Self.verify(name) { $0.floors = [preset] }
        #expect(result.failures == (isMet ? [] : ["tcb-below-minimum"]))
        #expect(result.verdict == (isMet ? .verified : .rejected))
    }
}
