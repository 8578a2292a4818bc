import Issuing
import PlainText
import SNPReport
import SNPVerification
import Testing

/// Minimum TCBs, floors, mitigations, platform bits and keys.
@Suite("Floors") struct FloorTests {
    struct Row: Sendable, CustomStringConvertible {
        let floor: String
        let processor: ProcessorID
        let product: ProcessorProduct
        /// A TCB that just meets the floor; `nil` where it says nothing of this processor.
        let least: TCBComponents?
        var platformBits: UInt64 = 0
        var description: String { "\(floor) on \(processor)" }
    }

    private static let b1 = ProcessorID(family: 0x19, model: 1, stepping: 1)
    private static let x = ProcessorID(family: 0x19, model: 1, stepping: 2)
    private static let genoa = ProcessorID(family: 0x19, model: 0x11, stepping: 1)
    private static let genoaX = ProcessorID(family: 0x19, model: 0x11, stepping: 2)
    private static let bergamo = ProcessorID(family: 0x19, model: 0xA0, stepping: 2)
    private static let c1 = ProcessorID(family: 0x1A, model: 2, stepping: 1)
    private static let dense = ProcessorID(family: 0x1A, model: 0x11, stepping: 0)

    private static func row(
        _ floor: String, _ processor: ProcessorID, snp: UInt8? = nil, ucode: UInt8? = nil, platformBits: UInt64 = 0, isNamed: Bool = true
    ) -> Row {
        Row(
            floor: floor, processor: processor, product: processor.product ?? .milan,
            least: isNamed ? TCBComponents(snp: snp ?? 0, microcode: ucode ?? 0) : nil, platformBits: platformBits)
    }

    static let rows: [Row] = [
        row("AMD-SB-3019", b1, snp: 0x18, ucode: 0xDB), row("AMD-SB-3019", x, snp: 0x18, ucode: 0x44),
        row("AMD-SB-3019", genoa, snp: 0x17, ucode: 0x54), row("AMD-SB-3019", genoaX, snp: 0x17, ucode: 0x4F),
        row("AMD-SB-3019", bergamo, ucode: 0x19), row("AMD-SB-3019", c1, isNamed: false),
        row("AMD-SB-3020", b1, snp: 0x1B, ucode: 0xDE), row("AMD-SB-3020", x, snp: 0x1B, ucode: 0x45),
        row("AMD-SB-3020", genoa, snp: 0x1B, ucode: 0x56), row("AMD-SB-3020", genoaX, snp: 0x1B, ucode: 0x51),
        row("AMD-SB-3020", bergamo, ucode: 0x1B), row("AMD-SB-3020", c1, snp: 4, ucode: 0x50),
        row("AMD-SB-3020", dense, snp: 4, ucode: 0x4D), row("AMD-SB-3023", b1, snp: 0x1B, ucode: 0xDE),
        row("AMD-SB-3023", x, snp: 0x1B, ucode: 0x47), row("AMD-SB-3023", genoa, snp: 0x1B, ucode: 0x56),
        row("AMD-SB-3023", c1, snp: 4, ucode: 0x51), row("AMD-SB-3023", dense, snp: 4, ucode: 0x4E),
        row("AMD-SB-3027", genoa, ucode: 0x56), row("AMD-SB-3027", genoaX, ucode: 0x51), row("AMD-SB-3027", c1, ucode: 0x51),
        row("AMD-SB-3027", b1, isNamed: false), row("AMD-SB-3016", b1, snp: 0x1B), row("AMD-SB-3016", genoa, snp: 0x1B),
        row("AMD-SB-3016", c1, platformBits: 0x40), row("AMD-SB-3030", b1, snp: 0x1D), row("AMD-SB-3030", x, snp: 0x1D),
        row("AMD-SB-3030", genoa, isNamed: false), row("AMD-SB-3030", c1, isNamed: false), row("AMD-SB-3033", b1, isNamed: false),
        row("AMD-SB-3034", genoa, isNamed: false), row("azure-fleet", b1, snp: 0x18, ucode: 0xDB),
        row("azure-fleet", genoa, snp: 0x17, ucode: 0x54), row("azure-fleet", c1),
    ]

    private static func judge(
        _ row: Row, _ tcb: TCBComponents, committed: TCBComponents? = nil, platformBits: UInt64? = nil
    ) throws -> VerificationResult {
        var hierarchy = TestHierarchy(product: row.product)
        hierarchy.report.cpuid = row.processor
        let tcb = TCBVersion(tcb, for: row.product)
        hierarchy.tcb = tcb
        hierarchy.leaf.extraExtensions = TestHierarchy.extensions(
            product: row.product, kind: .vcek, tcb: tcb, hardwareID: hierarchy.hardwareID)
        hierarchy.report.setEveryTCB(tcb)
        hierarchy.report.currentTCB = TCBVersion(TCBComponents(fmc: 9, bootloader: 9, tee: 9, snp: 0xFF, microcode: 0xFF), for: row.product)
        if let committed { hierarchy.report.committedTCB = TCBVersion(committed, for: row.product) }
        hierarchy.report.platformInfo = PlatformInfo(raw: platformBits ?? row.platformBits)
        return try hierarchy.verify { $0.floors = [ProductTable.builtIn.floor(named: row.floor)].compactMap(\.self) }
    }

    @Test("each bulletin's floor is met at its values and missed one below", arguments: rows) func bulletins(row: Row) throws {
        guard let least = row.least else {
            let result = try Self.judge(row, TCBComponents(fmc: 9, bootloader: 9, tee: 9, snp: 0xFF, microcode: 0xFF))
            #expect(result.failures == ["floor-unknown"] && result.verdict == .unsupported)
            return
        }
        #expect(try Self.judge(row, least).failures == [])
        let (snp, ucode) = (least.snp ?? 0, least.microcode ?? 0)
        if snp > 0 {
            let low = TCBComponents(snp: snp - 1, microcode: 0xFF)
            let result = try Self.judge(row, low)
            #expect(result.failures == ["tcb-below-minimum"] && result.verdict == .rejected)
            let committed = try Self.judge(row, TCBComponents(snp: 0xFF, microcode: 0xFF), committed: low)
            #expect(committed.failures == ["tcb-below-minimum"], "what is committed counts as well")
        }
        if ucode > 0 {
            #expect(try Self.judge(row, TCBComponents(snp: 0xFF, microcode: ucode - 1)).failures == ["tcb-below-minimum"])
        }
        if row.platformBits != 0 {
            #expect(try Self.judge(row, least, platformBits: ~row.platformBits).failures == ["platform-bits-missing"])
        }
    }

    @Test("a report that names no processor must meet the floor of each line of its product") func versionTwo() throws {
        func judge(_ ucode: UInt8) throws -> [String] {
            var hierarchy = TestHierarchy()
            hierarchy.report.version = 2
            hierarchy.report.cpuid = nil
            let tcb = TCBVersion(TCBComponents(bootloader: 4, tee: 0, snp: 0x18, microcode: ucode), for: .milan)
            hierarchy.leaf.extraExtensions = TestHierarchy.extensions(
                product: .milan, kind: .vcek, tcb: tcb, hardwareID: hierarchy.hardwareID)
            hierarchy.report.setEveryTCB(tcb)
            return try hierarchy.verify { $0.floors = [ProductTable.builtIn.floor(named: "AMD-SB-3019")].compactMap(\.self) }.failures
        }
        #expect(try judge(0xDB) == [])
        #expect(try judge(0x44) == ["tcb-below-minimum"])
    }

    @Test(
        "own minimums name any components",
        arguments: [
            ("fmc=0,bl=4,tee=0,snp=24,ucode=219", true), ("ucode=219", true), ("snp=0x18", true), ("bl=5", false), ("tee=1", false),
            ("snp=25", false), ("ucode=220", false), ("fmc=1", false),
        ]) func ownMinimum(text: String, isMet: Bool) throws
    {
        let minimum = try #require(MinimumTCB(parsing: text))
        let result = try TestHierarchy().verify { $0.minimumTCB = minimum }
        #expect(result.failures == (isMet ? [] : ["tcb-below-minimum"]), "\(result.checks.filter { !$0.ok })")
    }

    @Test("Venice has no boot loader and no microcode, so a level of them is unproven") func venice() throws {
        for (text, isMet) in [("fmc=1,tee=3,snp=4", true), ("bl=0,ucode=0", true), ("bl=1", false), ("ucode=1", false)] {
            let result = try TestHierarchy(product: .venice).verify { $0.minimumTCB = MinimumTCB(parsing: text) }
            #expect(result.failures == (isMet ? [] : ["tcb-below-minimum"]), "\(text)")
        }
    }

    @Test("what is no minimum is not taken for one") func malformedMinimums() {
        for text in ["", "snp", "snp=", "snp=256", "snp=-1", "snp=1,snp=2", "spl4=1", "snp=1,", "SNP=1", "snp=0x", "reserved=0", "snp=1 "] {
            #expect(MinimumTCB(parsing: text) == nil, "\(text)")
        }
    }

    @Test(
        "required mitigations must be in both vectors, and absent is unproven",
        arguments: [
            (UInt32(3), UInt64(0), UInt64(0), UInt64(1), false), (3, 1, 1, 1, false), (4, 1, 1, 1, false), (5, 1, 1, 1, true),
            (5, 0xB, 0xB, 0x3, true), (5, 1, 0, 1, false), (5, 0, 1, 1, false), (5, .max, .max, .max, true), (5, 0, 0, 0x8000, false),
            (6, 3, 3, 2, true), (6, 3, 1, 2, false), (6, 1, 3, 2, false),
        ]) func mitigations(version: UInt32, launch: UInt64, current: UInt64, mask: UInt64, isMet: Bool) throws
    {
        var hierarchy = TestHierarchy(product: version == 6 ? .venice : .milan)
        hierarchy.report.version = version
        hierarchy.report.launchMitigationVector = launch
        hierarchy.report.currentMitigationVector = current
        let result = try hierarchy.verify { $0.requiredMitigations = mask }
        #expect(result.failures == (isMet ? [] : ["mitigation-missing"]))
        if version < 5 { #expect(result.checks.contains { $0.code == "mitigation-missing" && $0.detail.contains("unproven") }) }
        #expect(try hierarchy.verify().isAcceptable, "without a mask nothing is asked")
    }

    @Test("required platform bits are a subset, never the whole") func platformBits() throws {
        var hierarchy = TestHierarchy()
        hierarchy.report.platformInfo = PlatformInfo(raw: 0x8000_0000_0000_0065)
        #expect(try hierarchy.verify { $0.requiredPlatformBits = 0x25 }.isVerified)
        #expect(try hierarchy.verify { $0.requiredPlatformBits = 0x27 }.failures == ["platform-bits-missing"])
    }

    @Test("the keys of ID block and author are pinned by their digests") func keys() throws {
        var hierarchy = TestHierarchy()
        hierarchy.report.idKeyDigest = [UInt8](repeating: 3, count: 48)
        hierarchy.report.authorKeyDigest = [UInt8](repeating: 4, count: 48)
        #expect(
            try hierarchy.verify {
                $0.expectedIDKeyDigest = [UInt8](repeating: 3, count: 48)
                $0.expectedAuthorKeyDigest = [UInt8](repeating: 4, count: 48)
            }.isVerified)
        #expect(try hierarchy.verify { $0.expectedIDKeyDigest = [UInt8](repeating: 4, count: 48) }.failures == ["id-key-digest-mismatch"])
        let author = try hierarchy.verify { $0.expectedAuthorKeyDigest = [UInt8](repeating: 3, count: 48) }
        #expect(author.failures == ["author-key-digest-mismatch"])
    }

    @Test("provisional firmware is named, and refused on request") func provisional() throws {
        var hierarchy = TestHierarchy()
        hierarchy.report.currentVersion = FirmwareVersion(major: 1, minor: 58, build: 1)
        let result = try hierarchy.verify()
        #expect(result.isVerified && result.checks.contains { $0.code == "firmware-provisional" && $0.detail.contains("provisional") })
        #expect(try hierarchy.verify { $0.refusesProvisionalFirmware = true }.failures == ["firmware-provisional"])
        #expect(try TestHierarchy().verify { $0.refusesProvisionalFirmware = true }.isVerified)
    }
}
