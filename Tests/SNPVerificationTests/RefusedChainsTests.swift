import Issuing
import OpenSSLCrypto
import SNPReport
import SNPVerification
import Testing

/// Chains and leaves that are signed correctly and must be refused all the same.
@Suite("Refused chains") struct RefusedChainsTests {
    private func failures(product: ProcessorProduct = .milan, kind: Endorsement.Kind = .vcek, _ bend: (inout TestHierarchy) -> Void) throws
        -> [String]
    {
        var hierarchy = TestHierarchy(product: product, kind: kind)
        bend(&hierarchy)
        let result = try hierarchy.verify()
        #expect(result.isVerified == result.failures.isEmpty)
        return result.failures
    }

    @Test func aRootThatNobodyPinned() throws {
        let result = try TestHierarchy().verify { $0.roots = AMDRoots.pins }
        #expect(result.failures == ["root-not-pinned"])
        #expect(result.endorsement?.pinnedRoot == nil)
    }

    @Test func aPinForAnotherProduct() throws {
        let hierarchy = TestHierarchy()
        let root = try hierarchy.certificates()[2]
        let result = try hierarchy.verify { $0.roots = [PinnedRoot(name: "x", product: .genoa, certificate: root)] }
        #expect(result.failures == ["product-unsupported"] && result.verdict == .unsupported)
    }

    @Test func brokenLinks() throws {
        // The intermediate holds another key than the one that signed the leaf.
        #expect(try failures { $0.intermediatePublic = TestHierarchy.rootKey } == ["leaf-signature"])
        let wrongRoot = try failures { $0.rootSigner = TestHierarchy.intermediateKey }
        #expect(wrongRoot == ["root-signature", "intermediate-signature"])
    }

    @Test func otherSignatureAlgorithms() throws {
        for algorithm in [SignatureAlgorithm.rsaPKCS1(.sha384), .rsaPSS(.sha256), .rsaPSS(.sha512)] {
            #expect(try failures { $0.leafAlgorithm = algorithm } == ["certificate-algorithm"])
        }
    }

    @Test func otherKeys() throws {
        #expect(try failures { $0.leafPublic = TestHierarchy.otherCurveKey }.contains("certificate-key"))
        #expect(try failures { $0.leafPublic = TestHierarchy.weakKey }.contains("certificate-key"))
        #expect(try failures { $0.intermediatePublic = TestHierarchy.weakKey } == ["leaf-signature", "certificate-key"])
    }

    @Test func otherNames() throws {
        #expect(try failures { $0.intermediate.subject = [("CN", "SEV-Genoa")] }.contains("chain-incomplete"))
        let organization = try failures { $0.root.subject = [("O", "somebody"), ("CN", "ARK-Milan")] }
        #expect(organization.contains("chain-incomplete"))
        #expect(try failures { $0.root.issuer = [("CN", "ARK-Milan")] }.contains("certificate-names"))
        // A VLEK's issuer does not issue VCEKs.
        let crossed = try failures {
            $0.leaf.issuer = TestHierarchy.builder("SEV-VLEK-Milan", issuer: "", serial: 0).subject
            $0.intermediate.subject = $0.leaf.issuer
        }
        #expect(crossed == ["certificate-names"])
        #expect(try failures { $0.leaf.subject = [("CN", "VCEK")] }.contains("leaf-missing"))
    }

    @Test func authorityFlags() throws {
        #expect(try failures { $0.root.isCertificateAuthority = nil }.contains("certificate-constraints"))
        #expect(try failures { $0.root.pathLength = 0 }.contains("certificate-constraints"))
        #expect(
            try failures {
                $0.intermediate.isCertificateAuthority = nil
                $0.intermediate.pathLength = nil
            }.contains("certificate-constraints"))
        #expect(try failures { $0.intermediate.keyUsage = [.digitalSignature] } == ["certificate-constraints"])
        #expect(try failures { $0.leaf.isCertificateAuthority = true } == ["certificate-constraints"])
        #expect(try failures { $0.leaf.keyUsage = [.keyCertSign] } == ["certificate-constraints"])
    }

    @Test func validityOfEveryCertificate() throws {
        #expect(try failures { $0.root.notAfter = TestHierarchy.time - 1 } == ["certificate-expired"])
        #expect(try failures { $0.intermediate.notAfter = TestHierarchy.time - 1 } == ["certificate-expired"])
        #expect(try failures { $0.leaf.notAfter = TestHierarchy.time - 1 } == ["certificate-expired"])
        #expect(try failures { $0.intermediate.notBefore = TestHierarchy.time + 1 } == ["certificate-not-yet-valid"])
    }

    @Test func criticalExtensions() throws {
        let strange = ("1.2.3.4", true, [UInt8(5), 0])
        #expect(try failures { $0.leaf.extraExtensions.append(strange) } == ["certificate-extension-critical"])
        #expect(try failures { $0.root.extraExtensions.append(strange) } == ["certificate-extension-critical"])
        #expect(try failures { $0.leaf.extraExtensions.append(("1.2.3.4", false, [5, 0])) } == [])
    }

    @Test func repeatedExtensions() throws {
        for index in 0..<11 {
            let found = try failures { $0.leaf.extraExtensions.append($0.leaf.extraExtensions[index]) }
            #expect(found == ["certificate-extension-duplicate"])
        }
    }

    @Test func malformedExtensions() throws {
        let bad: [[UInt8]] = [
            [], [2], [2, 1], [2, 0], [2, 1, 0xDB], [2, 2, 0, 1], [2, 2, 1, 0], [2, 1, 4, 0], [2, 0x81, 1, 4], [4, 1, 4],
            [2, 0x80, 4, 0, 0], [2, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1], [2, 0xFF],
        ]
        for value in bad {
            for arc in ["1", "3.1", "3.8"] {
                let found = try failures { $0.replaceExtension(arc, with: value) }
                // structVersion may have any value that is an integer.
                if arc == "1", value == [2, 2, 1, 0] { continue }
                #expect(found == ["certificate-extension-invalid"], "\(arc): \(value)")
            }
        }
        for value in [[], [1, 2, 3], [UInt8](repeating: 1, count: 63), [4, 63] + [UInt8](repeating: 1, count: 63)] as [[UInt8]] {
            #expect(try failures { $0.replaceExtension("4", with: value) } == ["certificate-extension-invalid"])
        }
        #expect(try failures { $0.replaceExtension("2", with: [0x16, 5, 0x4D]) } == ["certificate-extension-invalid"])
    }

    @Test func missingExtensions() throws {
        for arc in ["3.1", "3.2", "3.3", "3.8", "4"] {
            #expect(try failures { $0.removeExtension(arc) } == ["certificate-extension-invalid"], "\(arc)")
        }
        #expect(try failures(product: .turin) { $0.removeExtension("3.9") } == ["tcb-mismatch"])
    }

    @Test func chipAndProviderExcludeEachOther() throws {
        let both = try failures { $0.leaf.extraExtensions.append(("1.3.6.1.4.1.3704.1.5", false, TestHierarchy.ia5("CN=x"))) }
        #expect(both == ["certificate-extension-invalid"])
        let chipOnly = try failures(kind: .vlek) {
            $0.removeExtension("5")
            $0.leaf.extraExtensions.append(("1.3.6.1.4.1.3704.1.4", false, [UInt8](repeating: 1, count: 64)))
        }
        #expect(chipOnly == ["certificate-extension-invalid"])
    }

    /// Each patch level on its own, in both layouts.
    @Test(arguments: ProcessorProduct.allCases) func everyPatchLevelCounts(product: ProcessorProduct) throws {
        for arc in TestHierarchy.arcs(of: product) {
            let found = try failures(product: product) { $0.replaceExtension("3.\(arc)", with: [2, 1, 0x55]) }
            #expect(found == ["tcb-mismatch"], "arc \(arc)")
        }
        let stray = try failures(product: product) {
            $0.leaf.extraExtensions.append(("1.3.6.1.4.1.3704.1.3.\(product == .turin || product == .venice ? 4 : 9)", false, [2, 1, 1]))
        }
        #expect(stray == ["tcb-mismatch"])
    }

    @Test func chips() throws {
        #expect(try failures { $0.report.chipID[63] ^= 1 } == ["chip-id-mismatch"])
        #expect(try failures(product: .turin) { $0.report.chipID += [1] } == ["chip-id-mismatch"])
        #expect(try failures(product: .turin) { $0.report.chipID[7] ^= 1 } == ["chip-id-mismatch"])
        // A short id on a product with long ones matches nothing, zeros or not.
        let short = try failures {
            $0.replaceExtension("4", with: [1, 2, 3, 4, 5, 6, 7, 8])
            $0.report.chipID = [1, 2, 3, 4, 5, 6, 7, 8]
        }
        #expect(short == ["chip-id-mismatch"])
    }

    @Test func reportsOfOtherKinds() throws {
        #expect(try failures { $0.report.cpuid = ProcessorID(family: 0x19, model: 0x11, stepping: 1) } == ["product-mismatch"])
        #expect(try failures { $0.report.cpuid = ProcessorID(family: 0x1A, model: 0x50, stepping: 0) } == ["product-mismatch"])
        #expect(try failures { $0.report.cpuid = nil } == ["product-mismatch"])
        #expect(try failures { $0.replaceExtension("2", with: TestHierarchy.ia5("Genoa-B1")) } == ["product-mismatch"])
        #expect(try failures { $0.report.keyInfo = KeyInfo(raw: 4) } == ["leaf-kind-mismatch"])
        #expect(try failures { $0.report.keyInfo = KeyInfo(raw: 7 << 2) } == ["signing-key"])
        #expect(try failures { $0.report.keyInfo = KeyInfo(raw: 3 << 2) } == ["signing-key"])
        #expect(try failures { $0.report.keyInfo = KeyInfo(raw: 2) } == ["chip-key-masked"])
        #expect(try failures { $0.report.vmpl = .max } == ["vmpl-host"])
        #expect(try failures { $0.report.vmpl = 4 } == ["vmpl-invalid"])
        #expect(try failures { $0.report.signatureAlgorithm = 2 } == ["signature-algorithm"])
        #expect(try failures { $0.report.version = 6 } == ["report-version"])
        #expect(try failures { $0.report.version = 1 } == ["report-version"])
        #expect(try failures { $0.report.policy = GuestPolicy(raw: 0) } == ["policy-reserved-bits"])
        #expect(try failures { $0.report.currentTCB = TCBVersion(raw: 0) } == ["tcb-order"])
        #expect(try failures { $0.report.committedTCB = TCBVersion(raw: 0xdb19_0000_0000_0004) } == ["tcb-order"])
    }

    @Test func signaturesOutOfRange() throws {
        let hierarchy = TestHierarchy()
        let certificates = try hierarchy.certificates()
        let order: [UInt8] = [UInt8](repeating: 0xFF, count: 24) + (Hex.decode("c7634d81f4372ddf581a0db248b0a77aecec196accc52973") ?? [])
        let one = [UInt8](repeating: 0, count: 47) + [1]
        let zero = [UInt8](repeating: 0, count: 48)
        let largest = [UInt8](repeating: 0xFF, count: 48)
        for (r, s, isPossible) in [
            (zero, one, false), (one, zero, false), (order, one, false), (one, order, false), (largest, one, false), (one, one, true),
        ] {
            var report = try hierarchy.signedReport()
            #expect(ReportBuilder.install(signature: r + s, in: &report))
            let result = EvidenceVerifier().verify(report: report, certificates: certificates, policy: .init(time: TestHierarchy.time))
            #expect(result.failures.contains("report-signature"))
            #expect(result.failures.contains("signature-range") == !isPossible)
        }
    }

    @Test func tooManyCertificates() throws {
        let hierarchy = TestHierarchy()
        let certificates = try hierarchy.certificates()
        // Repetitions do not count, up to the bound on what is looked at at all.
        let many = Array(repeating: certificates[0], count: EvidenceVerifier.maximumCertificates - 3)
        #expect(try hierarchy.verify(extra: many).isVerified)
        #expect(try hierarchy.verify(extra: many + [certificates[0]]).failures.contains("certificate-count"))
        var leaves: [Certificate] = []
        for serial in 0...UInt64(EvidenceVerifier.maximumCandidates) {
            var other = hierarchy
            other.leaf.serial = 1000 + serial
            leaves.append(try other.certificates()[0])
        }
        #expect(try hierarchy.verify(extra: leaves).failures.contains("certificate-count"))
        #expect(try hierarchy.verify(extra: Array(leaves.dropFirst(2))).isVerified)
    }
}
