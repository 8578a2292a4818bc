import Issuing
import OpenSSLCrypto
import SNPReport
import Testing

@testable import SNPVerification

@Suite("Signatures that a verifier remembers") struct VerifiedSignaturesTests {
    @Test func onlyRightOnesAreRemembered() throws {
        let signatures = VerifiedSignatures()
        let good = TestHierarchy()
        #expect(try good.verify(remembering: signatures).isVerified)
        #expect(signatures.count == 3)
        #expect(try good.verify(remembering: signatures).isVerified)
        // Certificates are made anew, with new random salts: none of the three is a known one.
        #expect(signatures.count == 6)

        var bad = TestHierarchy()
        bad.rootSigner = TestHierarchy.intermediateKey
        for _ in 0..<2 {
            let result = try bad.verify(remembering: signatures)
            #expect(result.failures == ["root-signature", "intermediate-signature"])
        }
    }

    @Test func aKnownChainIsCheckedForEverythingElse() throws {
        let signatures = VerifiedSignatures()
        let hierarchy = TestHierarchy()
        let certificates = try hierarchy.certificates()
        let report = try hierarchy.signedReport()
        var policy = EvidenceVerifier.Policy(time: TestHierarchy.time)
        policy.roots = [PinnedRoot(name: "test", product: hierarchy.product, certificate: certificates[2])]
        func failures(_ report: [UInt8], _ change: (inout EvidenceVerifier.Policy) -> Void = { _ in }) -> [String] {
            var policy = policy
            change(&policy)
            return EvidenceVerifier(signatures: signatures).verify(report: report, certificates: certificates, policy: policy).failures
        }
        for _ in 0..<2 {
            #expect(failures(report) == [])
            #expect(signatures.count == 3)
        }
        #expect(failures(report) { $0.roots = AMDRoots.pins } == ["root-not-pinned"])
        #expect(failures(report) { $0.time = 1 << 40 } == ["certificate-expired"])
        #expect(failures(report) { $0.time = 0 } == ["certificate-not-yet-valid"])
        var altered = report
        altered[0x50] ^= 1
        #expect(failures(altered) == ["report-signature"])
    }

    @Test func memoryIsBounded() throws {
        let signatures = VerifiedSignatures()
        let hierarchy = TestHierarchy()
        let issuer = try hierarchy.certificates()[2]
        for _ in 0..<70 {
            let leaf = try hierarchy.intermediate.sign(
                publicKey: TestHierarchy.intermediateKey.publicKey, with: TestHierarchy.rootKey, algorithm: .rsaPSS(.sha384))
            #expect(signatures.isSigned(leaf, by: issuer))
            #expect(!signatures.isSigned(issuer, by: leaf))
        }
        #expect((1...64).contains(signatures.count))
    }
}
