import EvidenceSamples
import OpenSSLCrypto
import PlainText
import SNPReport
import SNPVerification
import StrictJSON
import Testing

/// Verdicts on real evidence.
@Suite("Verdicts on real evidence", .enabled(if: EvidenceSample.isAvailable, "../shared/evidence is not there")) struct SampleVerdictTests {
    @Test(arguments: EvidenceSample.withReport) func verdictIsAsComputedIndependently(sample: EvidenceSample) throws {
        let case_ = try SampleCase(sample)
        let result = case_.verify()
        let signs = sample.expected.at("verification", "signature_valid") == .boolean(true)
        var expected: [String] = []
        if !signs { expected.append("report-signature") }
        if case_.report[0x0A] & 0x08 != 0 { expected.append("debug-allowed") }
        #expect(result.failures == expected)
        #expect(result.isVerified == expected.isEmpty)
        #expect(result.report?.bytes == case_.report)

        let endorsement = try #require(result.endorsement)
        #expect(endorsement.product.rawValue == sample.expected["product_line"]?.text)
        #expect(endorsement.kind.rawValue == sample.expected.at("verification", "leaf_kind")?.text)
        #expect(Hex.encode(endorsement.leaf.sha256) == sample.expected.at("leaf_certificate", "der_sha256")?.text)
        #expect(endorsement.intermediate.subjectCommonName == sample.expected.at("verification", "chain", "intermediate_cn")?.text)
        #expect(Hex.encode(endorsement.root.sha256) == sample.expected.at("verification", "chain", "ark_der_sha256")?.text)
        #expect(endorsement.pinnedRoot == "AMD ARK-\(endorsement.product.rawValue)")

        let leaf = try #require(sample.expected["leaf_certificate"]?.members)
        let extensions = try #require(endorsement.extensions)
        #expect(extensions.productName == leaf["product_name"]?.text)
        #expect(extensions.hardwareID.map { Hex.encode($0) } == leaf["hwid"]?.text)
        #expect(extensions.providerID == leaf["csp_id"]?.text)
        for arc in 1...9 { #expect(extensions.patchLevels[arc].map(Int64.init) == leaf["spl_3.\(arc)"]?.number, "arc \(arc)") }
    }

    @Test(arguments: EvidenceSample.withReport) func debugIsAcceptedOnRequest(sample: EvidenceSample) throws {
        let case_ = try SampleCase(sample)
        let result = case_.verify { $0.allowDebug = true }
        #expect(!result.failures.contains("debug-allowed"))
        #expect(result.isVerified == (sample.expected.at("verification", "signature_valid")?.flag == true))
    }

    @Test(arguments: EvidenceSample.withReport) func aLeafOutOfItsTimeIsRefused(sample: EvidenceSample) throws {
        let case_ = try SampleCase(sample)
        let after = case_.verify { $0.time = case_.leaf.notAfter + 1 }
        #expect(after.failures.contains("certificate-expired") && !after.isVerified)
        let before = case_.verify { $0.time = case_.leaf.notBefore - 1 }
        #expect(before.failures.contains("certificate-not-yet-valid") && !before.isVerified)
        for moment in [case_.leaf.notBefore, case_.leaf.notAfter] {
            let result = case_.verify { $0.time = moment }
            #expect(result.failures.allSatisfy { !$0.hasPrefix("certificate-") }, "the last second counts")
        }
    }

    @Test(arguments: EvidenceSample.withReport) func orderStrangersAndRepetitionDoNotMatter(sample: EvidenceSample) throws {
        let case_ = try SampleCase(sample)
        let expected = case_.verify()
        var everything = EvidenceSample.withReport.flatMap { (try? SampleCase($0))?.certificates ?? [] }
        everything += case_.certificates + case_.certificates
        var generator = SplitMix(state: UInt64(sample.name.utf8.count))
        for _ in 0..<5 {
            everything.shuffle(using: &generator)
            let result = case_.verify(certificates: everything)
            #expect(result.failures == expected.failures)
            #expect(result.endorsement?.leaf.der == expected.endorsement?.leaf.der)
            #expect(result.endorsement?.root.der == expected.endorsement?.root.der)
        }
    }

    @Test(arguments: EvidenceSample.withReport) func missingCertificatesAreNamed(sample: EvidenceSample) throws {
        let case_ = try SampleCase(sample)
        #expect(case_.verify(certificates: []).failures.contains("leaf-missing"))
        let leafOnly = case_.verify(certificates: [case_.leaf])
        #expect(leafOnly.failures.contains("chain-incomplete") && !leafOnly.isVerified)
        #expect(leafOnly.endorsement == nil)
        let rootless = case_.verify(certificates: Array(case_.certificates.dropLast()))
        #expect(rootless.failures.contains("chain-incomplete") && !rootless.isVerified)
        let leafless = case_.verify(certificates: Array(case_.certificates.dropFirst()))
        #expect(leafless.failures.contains("leaf-missing") && !leafless.isVerified)
    }

    @Test func anotherChipsLeafIsRefused() throws {
        let own = try SampleCase(#require(EvidenceSample(named: "azure-aci-genoa-v3-tav")))
        let other = try SampleCase(#require(EvidenceSample(named: "azure-aci-scitt-20260302")))
        let result = own.verify(certificates: other.certificates) { $0.time = other.leaf.notBefore + 86_400 * 500 }
        #expect(result.failures == ["report-signature", "chip-id-mismatch"])
    }

    @Test func anotherProductsChainIsRefused() throws {
        let own = try SampleCase(#require(EvidenceSample(named: "baremetal-turin-v5-routex")))
        let other = try SampleCase(#require(EvidenceSample(named: "azure-aci-genoa-v3-tav")))
        let result = own.verify(certificates: other.certificates) { $0.time = other.leaf.notBefore + 1 }
        #expect(result.failures == ["report-signature", "product-mismatch", "tcb-mismatch", "chip-id-mismatch"])
    }

    @Test func aLeafOfTheOtherKindIsRefused() throws {
        let own = try SampleCase(#require(EvidenceSample(named: "aws-milan-v3-vlek-trustee")))
        let other = try SampleCase(#require(EvidenceSample(named: "azure-cvm-milan-v3-hcl-trustee-v1")))
        let result = own.verify(certificates: other.certificates) { $0.time = other.leaf.notBefore + 1 }
        #expect(result.failures.contains("leaf-kind-mismatch") && result.failures.contains("report-signature"))
    }

    @Test func expectationsAreCompared() throws {
        let case_ = try SampleCase(#require(EvidenceSample(named: "azure-aci-milan-v2-2023")))
        let report = try AttestationReport(case_.report)
        let right = case_.verify {
            $0.expectedReportData = report.reportData
            $0.expectedHostData = report.hostData
            $0.expectedMeasurement = report.measurement
            $0.expectedVMPL = 0
        }
        #expect(right.isVerified)
        #expect(right.checks.filter { $0.code.hasSuffix("-mismatch") }.count == 8)
        let wrong = case_.verify {
            $0.expectedReportData = [UInt8](repeating: 1, count: 64)
            $0.expectedHostData = Array(report.hostData.dropLast())
            $0.expectedMeasurement = []
            $0.expectedVMPL = 1
        }
        #expect(wrong.failures == ["vmpl-mismatch", "report-data-mismatch", "host-data-mismatch", "measurement-mismatch"])
        #expect(!wrong.isVerified)
    }

    @Test func theSecurityPolicyIsBoundByHostData() throws {
        let sample = try #require(EvidenceSample(named: "azure-aci-milan-v2-2023"))
        let text = String(decoding: try #require(sample.file("security-policy-base64.txt")), as: UTF8.self)
        let policy = try #require(Base64.decode(text.split(whereSeparator: \.isWhitespace).joined()))
        let result = try SampleCase(sample).verify { $0.expectedHostData = DigestAlgorithm.sha256.digest(policy) }
        #expect(result.isVerified)
    }

    @Test func pinsAreThoseOfTheSamplesRoots() throws {
        for sample in EvidenceSample.withReport {
            let case_ = try SampleCase(sample)
            let root = try #require(case_.certificates.last)
            let product = try #require(ProcessorProduct(rawValue: sample.expected["product_line"]?.text ?? ""))
            let pin = try #require(AMDRoots.pin(for: product))
            #expect(pin.certificateSHA256 == root.sha256 && pin.publicKeySHA256 == root.publicKeySHA256)
        }
        #expect(AMDRoots.pins.count == 3)
    }
}

/// A sample with its chain parsed, judged a day after its leaf was issued.
struct SampleCase {
    let report: [UInt8]
    let certificates: [Certificate]
    let leaf: Certificate

    init(_ sample: EvidenceSample) throws {
        report = sample.report
        certificates = try sample.chainPEM.flatMap { try Certificate.parse(pemOrDER: $0, maximumCount: 10) }
        leaf = try #require(certificates.first)
    }

    func verify(report: [UInt8]? = nil, certificates: [Certificate]? = nil, adjusting: (inout EvidenceVerifier.Policy) -> Void = { _ in })
        -> VerificationResult
    {
        var policy = EvidenceVerifier.Policy(time: leaf.notBefore + 86_400)
        adjusting(&policy)
        let result = EvidenceVerifier().verify(
            report: report ?? self.report, certificates: certificates ?? self.certificates, policy: policy)
        #expect(result.isVerified == result.failures.isEmpty, "a verdict without a reason, or a reason without a verdict")
        #expect(Set(result.checks.map(\.code)).count == result.checks.count, "a code appears twice")
        #expect(result.checks.allSatisfy { !$0.detail.isEmpty && !$0.detail.contains("\n") })
        return result
    }
}

/// A small generator with a seed, so that a failure can be repeated (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
