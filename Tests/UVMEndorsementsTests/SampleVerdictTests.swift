import EvidenceSamples
import OpenSSLCrypto
import PlainText
import StrictJSON
import Testing

@testable import UVMEndorsements

@Suite("Microsoft's endorsements", .enabled(if: EvidenceSample.isAvailable, "../shared/evidence is not there")) struct SampleVerdictTests {
    private let verifier = UVMEndorsementVerifier()

    @Test("verify, each check passed", arguments: EndorsementSample.all) func verdict(_ sample: EndorsementSample) throws {
        #expect(sample.evidence.expected.at("uvm_endorsement", "signature_valid")?.flag == true)
        #expect(sample.evidence.expected.at("uvm_endorsement", "did_x509_resolves")?.flag == true)
        let result = verifier.verify(sample.cose)
        #expect(result.failures == [], "\(result.checks)")
        #expect(result.isVerified)
        #expect(result.checks.map(\.code) == UVMCheckCode.allCases.map(\.rawValue))
    }

    @Test("have the expected fields", arguments: EndorsementSample.all) func fields(_ sample: EndorsementSample) throws {
        let endorsement = try UVMEndorsement(cose: sample.cose)
        #expect(endorsement.issuer == sample.text("issuer"))
        #expect(endorsement.feed == sample.text("feed"))
        #expect(
            RFC3339.format(try #require(endorsement.signingTime))
                == sample.text("signing_time")?.replacing(" ", with: "T").replacing("+00:00", with: "Z"))
        #expect(endorsement.launchMeasurement == sample.measurement)
        #expect(endorsement.thumbprint?.digest == sample.text("x5t_sha256").flatMap { Hex.decode($0) })
        let svn = sample.evidence.expected.at("uvm_endorsement", "guest_svn")
        #expect(String(endorsement.svn) == svn?.text ?? svn?.number.map(String.init))
        #expect(endorsement.algorithm == .ps384)
        let isEnvelope = sample.evidence.expected.at("uvm_endorsement", "payload_hash_alg_258")?.number == -43
        #expect(endorsement.form == (isEnvelope ? .hashEnvelope : .json))
        guard case .array(let chain)? = sample.evidence.expected.at("uvm_endorsement", "x5chain") else {
            Issue.record("expected.json names no chain")
            return
        }
        #expect(endorsement.certificates.map { Hex.encode($0.sha256) } == chain.map { $0.members?["sha256_hex"]?.text })
        #expect(endorsement.certificates.map(\.subject) == chain.map { $0.members?["subject"]?.text })
    }

    @Test(
        "endorse the measurement of the report beside them",
        arguments: EndorsementSample.all.filter { $0.evidence.file("report.bin") != nil }) func measurement(_ sample: EndorsementSample)
        throws
    {
        var policy = UVMEndorsementVerifier.Policy()
        let measurement = Array(sample.evidence.report[0x90..<0xC0])
        policy.expectedMeasurement = measurement
        #expect(verifier.verify(sample.cose, policy: policy).isVerified)
        policy.expectedMeasurement = measurement.flipping(47, bit: 0)
        let result = verifier.verify(sample.cose, policy: policy)
        #expect(!result.isVerified)
        #expect(result.failures == ["uvm-measurement"])
    }

    @Test("an expired signer does not matter, and is mentioned", arguments: EndorsementSample.all) func expiry(_ sample: EndorsementSample)
        throws
    {
        var policy = UVMEndorsementVerifier.Policy()
        policy.time = 1_795_500_000  // November 2026: every leaf has expired.
        let result = verifier.verify(sample.cose, policy: policy)
        #expect(result.isVerified)
        #expect(result.detail(.validity).contains("which is the signer's claim"))
        #expect(result.detail(.validity).contains("not every certificate is valid at present"))
    }

    @Test("a minimum security version number is enforced", arguments: EndorsementSample.all) func minimum(_ sample: EndorsementSample)
        throws
    {
        let svn = try UVMEndorsement(cose: sample.cose).svn
        var policy = UVMEndorsementVerifier.Policy()
        policy.trustedIssuers = TrustedIssuer.microsoft.map { TrustedIssuer(issuer: $0.issuer, feed: $0.feed, minimumSVN: svn) }
        #expect(verifier.verify(sample.cose, policy: policy).isVerified)
        policy.trustedIssuers = policy.trustedIssuers.map { TrustedIssuer(issuer: $0.issuer, feed: $0.feed, minimumSVN: svn + 1) }
        let result = verifier.verify(sample.cose, policy: policy)
        #expect(result.failures == ["uvm-svn"])
        #expect(result.detail(.svn) == "the security version number \(svn) is below the minimum \(svn + 1)")
    }

    @Test("the extended key usage that every Microsoft leaf has is no identity", arguments: EndorsementSample.all) func looseIssuer(
        _ sample: EndorsementSample
    ) throws {
        var policy = UVMEndorsementVerifier.Policy()
        policy.trustedIssuers = [
            TrustedIssuer(issuer: String(TrustedIssuer.confidentialACI.issuer.dropLast()) + "1", feed: "ContainerPlat-AMD-UVM")
        ]
        #expect(verifier.verify(sample.cose, policy: policy).failures == ["uvm-issuer"])
        // As did:x509 such an identifier would resolve: it is the list that refuses it.
        try DIDX509(policy.trustedIssuers[0].issuer).resolve(UVMEndorsement(cose: sample.cose).certificates)
    }
}
