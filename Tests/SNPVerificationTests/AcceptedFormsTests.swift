import Issuing
import OpenSSLCrypto
import PlainText
import SNPReport
import SNPVerification
import Testing

/// Forms that AMD's format allows and that no sample shows: none of them may be refused.
@Suite("Accepted forms") struct AcceptedFormsTests {
    private static let forms: [(ProcessorProduct, UInt32)] = ProcessorProduct.allCases.flatMap { product in
        [UInt32(2), 3, 5, 6].map { version in (product, version) }
    }

    @Test(arguments: forms.filter { $0.0.versions.contains($0.1) }) func everyProductVersionAndKind(
        product: ProcessorProduct, version: UInt32
    ) throws {
        for kind in Endorsement.Kind.allCases {
            var hierarchy = TestHierarchy(product: product, kind: kind)
            hierarchy.report.version = version
            hierarchy.report.launchMitigationVector = 7
            let result = try hierarchy.verify()
            #expect(result.isVerified, "\(kind): \(result.checks.filter { !$0.ok })")
            #expect(result.endorsement?.kind == kind && result.endorsement?.product == product)
            #expect(result.endorsement?.pinnedRoot == "test")
        }
    }

    @Test("a version that is not known of a product is unsupported", arguments: forms.filter { !$0.0.versions.contains($0.1) })
    func versionsOfOtherProducts(product: ProcessorProduct, version: UInt32) throws {
        var hierarchy = TestHierarchy(product: product)
        hierarchy.report.version = version
        // Version 2 names no processor.
        let result = try hierarchy.verify()
        #expect(result.verdict == .unsupported && result.failures == ["report-version"], "\(result.failures)")
    }

    @Test(arguments: [UInt32(0), 1, 2, 3]) func everyPrivilegeLevel(vmpl: UInt32) throws {
        var hierarchy = TestHierarchy()
        hierarchy.report.vmpl = vmpl
        #expect(try hierarchy.verify().isVerified)
        #expect(try hierarchy.verify { $0.expectedVMPL = vmpl }.isVerified)
    }

    @Test func everyDefinedPolicyBitButDebugAndMigration() throws {
        for bit in [UInt64(16), 20, 21, 22, 23, 24, 25] {
            var hierarchy = TestHierarchy()
            hierarchy.report.policy = GuestPolicy(raw: hierarchy.report.policy.raw ^ 1 << bit)
            #expect(try hierarchy.verify().isVerified, "bit \(bit)")
        }
    }

    @Test func everyPlatformBit() throws {
        var hierarchy = TestHierarchy()
        hierarchy.report.platformInfo = PlatformInfo(raw: .max)
        #expect(try hierarchy.verify().isVerified)
    }

    @Test func keysOfTheGuestsOwner() throws {
        var hierarchy = TestHierarchy()
        hierarchy.report.keyInfo = KeyInfo(raw: 1)
        hierarchy.report.idKeyDigest = [UInt8](repeating: 3, count: 48)
        hierarchy.report.authorKeyDigest = [UInt8](repeating: 4, count: 48)
        hierarchy.report.reportIDMA = [UInt8](repeating: 5, count: 32)
        #expect(try hierarchy.verify().isVerified)
    }

    /// The firmware runs ahead of what is committed and reported; LAUNCH_TCB may lie anywhere.
    @Test func tcbsThatDiffer() throws {
        var hierarchy = TestHierarchy()
        hierarchy.report.committedTCB = TCBVersion(raw: 0xdc18_0000_0000_0004)
        hierarchy.report.currentTCB = TCBVersion(raw: 0xdd19_0000_0000_0104)
        hierarchy.report.launchTCB = TCBVersion(raw: 0xde1a_0000_0000_0204)
        #expect(try hierarchy.verify().isVerified)
    }

    @Test(arguments: ["Genoa", "Genoa-B1", "Siena", "Siena-B2", "Bergamo", "a name of the future"]) func productNames(name: String) throws {
        var hierarchy = TestHierarchy(product: .genoa)
        hierarchy.replaceExtension("2", with: TestHierarchy.ia5(name))
        #expect(try hierarchy.verify().isVerified)
    }

    @Test func hardwareIDInAnOctetString() throws {
        for product in ProcessorProduct.allCases {
            var hierarchy = TestHierarchy(product: product)
            let count = UInt8(hierarchy.hardwareID.count)
            hierarchy.replaceExtension("4", with: [4, count] + hierarchy.hardwareID)
            #expect(try hierarchy.verify().isVerified)
        }
    }

    @Test func reservedPatchLevelsMayBeAbsent() throws {
        for product in ProcessorProduct.allCases {
            var hierarchy = TestHierarchy(product: product)
            for arc in 4...7 { hierarchy.removeExtension("3.\(arc)") }
            #expect(try hierarchy.verify().isVerified)
        }
    }

    @Test func keyIdentifierOnTheLeaf() throws {
        var hierarchy = TestHierarchy()
        hierarchy.leaf.extraExtensions.append(("2.5.29.35", false, [0x30, 0x16, 0x80, 0x14] + [UInt8](repeating: 7, count: 20)))
        #expect(try hierarchy.verify().isVerified)
    }

    @Test func debugMigrationAndMaskedChipOnRequest() throws {
        var hierarchy = TestHierarchy()
        hierarchy.report.policy = GuestPolicy(raw: hierarchy.report.policy.raw | 0b11 << 18)
        hierarchy.report.chipID = []
        #expect(try hierarchy.verify().failures == ["debug-allowed", "migration-allowed", "chip-id-masked"])
        #expect(
            try hierarchy.verify {
                $0.allowDebug = true
                $0.allowMigration = true
                $0.allowMaskedChipID = true
            }.leftOut.map(\.code) == ["chip-id-mismatch"])
    }

    @Test func aVLEKNeedsNoChipKey() throws {
        var hierarchy = TestHierarchy(kind: .vlek)
        hierarchy.report.keyInfo = KeyInfo(raw: 0b110)
        hierarchy.report.chipID = [UInt8](repeating: 9, count: 64)
        #expect(try hierarchy.verify().isVerified)
    }

    @Test func aRootReissuedWithTheSameKey() throws {
        var hierarchy = TestHierarchy()
        let old = try hierarchy.certificates()[2]
        hierarchy.root.serial = 77
        #expect(try hierarchy.verify { $0.roots = [PinnedRoot(name: "old", product: .milan, certificate: old)] }.isVerified)
    }

    /// Two certificates for the same VCEK: the one that holds is the one that is judged.
    @Test func anExpiredTwinDoesNoHarm() throws {
        let hierarchy = TestHierarchy()
        var twin = hierarchy
        twin.leaf.notAfter = TestHierarchy.time - 1
        let expired = try twin.certificates()[0]
        #expect(try hierarchy.verify(extra: [expired]).isVerified)
        // A forgery with the right key but no right to exist.
        var forged = hierarchy
        forged.leaf.issuer = [("CN", "SEV-Milan")]
        #expect(try hierarchy.verify(extra: [try forged.certificates()[0]]).isVerified)
    }
}
