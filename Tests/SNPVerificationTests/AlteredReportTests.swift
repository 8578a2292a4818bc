import EvidenceSamples
import SNPReport
import SNPVerification
import StrictJSON
import Testing

/// Real reports that were changed after they were signed.
@Suite("Altered reports", .enabled(if: EvidenceSample.isAvailable, "../shared/evidence is not there")) struct AlteredReportTests {
    /// `negative_mutations.description` of each sample, as code, with the codes that must be among the failures.
    private static func mutations(kind: String, version: Int64) -> [(name: String, codes: Set<String>, apply: (inout [UInt8]) -> Void)] {
        [
            ("tamper_report_data", ["report-signature"], { $0[0x50] ^= 1 }),
            ("tamper_measurement", ["report-signature"], { $0[0x90] ^= 1 }),
            ("tamper_policy_debug", ["report-signature"], { $0[0x0A] ^= 0x08 }),
            ("tamper_reported_tcb", ["report-signature", "tcb-mismatch"], { $0[0x180] ^= 1 }),
            ("tamper_chip_id", kind == "VCEK" ? ["report-signature", "chip-id-mismatch"] : ["report-signature"], { $0[0x1A0] ^= 1 }),
            ("tamper_sig_r", ["report-signature"], { $0[0x2A0] ^= 1 }), ("tamper_sig_s", ["report-signature"], { $0[0x2E8] ^= 1 }),
            (
                "sig_r_zero", ["report-signature", "signature-range"],
                { $0.replaceSubrange(0x2A0..<0x2E8, with: repeatElement(0, count: 72)) }
            ), ("truncate", ["report-length"], { $0.removeLast() }), ("extend", ["report-length"], { $0.append(0) }),
            ("sig_reserved", ["signature-reserved-nonzero"], { $0[0x330] = 1 }),
            ("unknown_sig_algo", ["report-signature", "signature-algorithm"], { $0[0x34] = 0 }),
            (
                "swap_r_s", ["report-signature"],
                { bytes in
                    let (r, s) = (Array(bytes[0x2A0..<0x2E8]), Array(bytes[0x2E8..<0x330]))
                    bytes.replaceSubrange(0x2A0..<0x330, with: s + r)
                }
            ),
            (
                "big_endian_confusion", ["report-signature"],
                { bytes in for start in [0x2A0, 0x2E8] { bytes[start..<start + 48].reverse() } }
            ),
        ]
    }

    @Test(arguments: EvidenceSample.withReport) func everyListedMutationIsRefusedForItsReason(sample: EvidenceSample) throws {
        let case_ = try SampleCase(sample)
        let kind = try #require(sample.expected.at("verification", "leaf_kind")?.text)
        let version = try #require(sample.expected.at("report", "version")?.number)
        let listed = try #require(sample.expected.at("negative_mutations", "description")?.members)
        let mutations = Self.mutations(kind: kind, version: version)
        #expect(Set(listed.keys) == Set(mutations.map(\.name)))
        for mutation in mutations {
            var report = case_.report
            mutation.apply(&report)
            try #require(report != case_.report)
            let result = case_.verify(report: report)
            #expect(!result.isVerified)
            #expect(mutation.codes.isSubset(of: result.failures), "\(mutation.name): \(result.failures)")
        }
    }

    @Test(arguments: EvidenceSample.withReport) func raisingDebugNamesBothReasons(sample: EvidenceSample) throws {
        let case_ = try SampleCase(sample)
        var report = case_.report
        report[0x0A] |= 0x0C
        let result = case_.verify(report: report)
        #expect(Set(result.failures).isSuperset(of: ["report-signature", "debug-allowed", "migration-allowed"]))
    }

    @Test(arguments: EvidenceSample.withReport) func maskingTheChipIsRefused(sample: EvidenceSample) throws {
        let case_ = try SampleCase(sample)
        var report = case_.report
        report.replaceSubrange(0x1A0..<0x1E0, with: repeatElement(0, count: 64))
        let result = case_.verify(report: report)
        let isVCEK = sample.expected.at("verification", "leaf_kind")?.text == "VCEK"
        #expect(result.failures.contains("chip-id-masked") == isVCEK)
        #expect(result.failures.contains("report-signature") == (isVCEK || sample.name.hasPrefix("negative")))
    }

    @Test(arguments: EvidenceSample.withReport) func reportedTCBAboveCurrentIsNamed(sample: EvidenceSample) throws {
        let case_ = try SampleCase(sample)
        var report = case_.report
        report[0x187] = 0xFF
        report[0x3F] = 0xFE
        #expect(Set(case_.verify(report: report).failures).isSuperset(of: ["tcb-order", "tcb-mismatch", "report-signature"]))
    }

    /// Every single bit that the signature covers, one sample of each version and product.
    @Test(
        arguments: ["azure-aci-milan-v2-2023", "aws-milan-v3-vlek-trustee", "azure-aci-genoa-v3-tav", "baremetal-turin-v5-routex"]
            .compactMap { EvidenceSample(named: $0) }) func everySignedByteMatters(sample: EvidenceSample) throws
    {
        let case_ = try SampleCase(sample)
        var generator = SplitMix(state: 11)
        for offset in 0..<0x2A0 {
            var report = case_.report
            report[offset] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
            let result = case_.verify(report: report)
            #expect(result.failures.contains("report-signature"), "offset \(offset)")
            #expect(!result.isVerified)
        }
        for offset in 0x2A0..<0x4A0 {
            var report = case_.report
            report[offset] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
            #expect(!case_.verify(report: report).isVerified, "offset \(offset)")
        }
    }

    @Test(arguments: EvidenceSample.withReport) func noLengthButTheRightOne(sample: EvidenceSample) throws {
        let case_ = try SampleCase(sample)
        for count in 0...1300 where count != 1184 {
            let report = count < 1184 ? Array(case_.report.prefix(count)) : case_.report + [UInt8](repeating: 0, count: count - 1184)
            // The chain says nothing about lengths; without it the test takes a second instead of minutes.
            let result = case_.verify(report: report, certificates: [])
            #expect(result.failures.contains("report-length") && result.report == nil)
        }
        let result = case_.verify(report: [])
        #expect(result.failures == ["report-length"], "the chain is judged all the same")
    }

    @Test(arguments: EvidenceSample.withReport) func seededRandomMutationsNeverCrashAndNeverPass(sample: EvidenceSample) throws {
        let case_ = try SampleCase(sample)
        var generator = SplitMix(state: 1 + UInt64(sample.name.utf8.count))
        for _ in 0..<150 {
            var report = case_.report
            for _ in 0..<Int.random(in: 1...30, using: &generator) {
                report[Int.random(in: report.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            guard report != case_.report else { continue }
            #expect(!case_.verify(report: report).isVerified)
        }
    }
}
