import Issuing
import SNPReport
import Testing

@Suite("Fields") struct FieldTests {
    @Test func productsByProcessor() {
        #expect(ProcessorProduct(family: 0x19, model: 0x01) == .milan)
        #expect(ProcessorProduct(family: 0x19, model: 0x0F) == .milan)
        #expect(ProcessorProduct(family: 0x19, model: 0x11) == .genoa)
        #expect(ProcessorProduct(family: 0x19, model: 0xA0) == .genoa, "Bergamo, Siena")
        #expect(ProcessorProduct(family: 0x19, model: 0xAF) == .genoa)
        #expect(ProcessorProduct(family: 0x19, model: 0x20) == nil)
        #expect(ProcessorProduct(family: 0x1A, model: 0x02) == .turin)
        #expect(ProcessorProduct(family: 0x1A, model: 0x11) == .turin)
        #expect(ProcessorProduct(family: 0x1A, model: 0x12) == nil, "only one source says that Turin goes on")
        for model in [UInt8(0x50), 0x57, 0x90, 0x9F, 0xA0, 0xAF, 0xC0, 0xC7] {
            #expect(ProcessorProduct(family: 0x1A, model: model) == .venice)
        }
        #expect(ProcessorProduct(family: 0x1A, model: 0x58) == nil)
        #expect(ProcessorProduct(family: 0x17, model: 0x31) == nil)
    }

    @Test func productsByName() {
        for (name, product) in [
            ("Milan", ProcessorProduct.milan), ("Milan-B0", .milan), ("Genoa-B1", .genoa), ("Siena", .genoa), ("Turin-B0", .turin),
            ("Bergamo", .genoa),
        ] { #expect(ProcessorProduct(productName: name) == product) }
        #expect(ProcessorProduct(productName: "Milano") == nil)
        #expect(ProcessorProduct(productName: "") == nil)
    }

    @Test("Venice has neither boot loader nor microcode in its TCB") func veniceLayout() {
        let tcb = TCBVersion(TCBComponents(fmc: 1, tee: 2, snp: 3), for: .venice)
        #expect(tcb.raw == 0x03_0201)
        let parts = tcb.components(for: .venice)
        #expect(parts.bootloader == nil && parts.microcode == nil && parts.fmc == 1 && parts.tee == 2 && parts.snp == 3)
        #expect(parts.description == "FMC 1, TEE 2, SNP 3")
    }

    @Test("version 6 has three extended TCBs, a name for each of their first 14 bytes") func extendedTCB() throws {
        var builder = ReportBuilder()
        builder.version = 6
        builder.currentETCB = (0..<32).map { $0 < 14 ? $0 + 1 : 0 }
        builder.launchETCB = (0..<32).map { $0 < 14 ? $0 + 101 : 0 }
        builder.committedETCB = (0..<32).map { $0 < 14 ? $0 + 201 : 0 }
        var report = try AttestationReport(builder.unsignedBytes())
        #expect(report.currentETCB?.components.map(\.level) == (1...14).map { $0 })
        #expect(report.currentETCB?.components[8].name == "microcode" && report.currentETCB?.components[13].name == "arg")
        #expect(report.launchETCB?.bytes == builder.launchETCB && report.committedETCB?.bytes == builder.committedETCB)
        #expect(report.unjudged.isEmpty)
        builder.launchETCB[31] = 1
        report = try AttestationReport(builder.unsignedBytes())
        #expect(report.unjudged == ["launch_etcb"])
    }

    @Test func buildAndDecodeAgree() throws {
        var builder = ReportBuilder()
        builder.version = 5
        builder.guestSVN = 0xAABB_CCDD
        builder.vmpl = 2
        builder.keyInfo = KeyInfo(raw: 0b101)
        builder.reportData = (0..<64).map { $0 }
        builder.measurement = (0..<48).map { $0 | 0x80 }
        builder.hostData = (0..<32).map { 255 - $0 }
        builder.idKeyDigest = (0..<48).map { $0 }
        builder.authorKeyDigest = (0..<48).map { 100 + $0 }
        builder.reportID = (0..<32).map { 3 * $0 }
        builder.chipID = (0..<64).map { 2 * $0 }
        builder.cpuid = ProcessorID(family: 0x1A, model: 2, stepping: 1)
        builder.currentTCB = TCBVersion(raw: 0x5100_0000_0401_0101)
        builder.reportedTCB = TCBVersion(raw: 0x5000_0000_0301_0101)
        builder.committedTCB = TCBVersion(raw: 0x4f00_0000_0301_0101)
        builder.launchTCB = TCBVersion(raw: 0x4e00_0000_0301_0101)
        builder.currentVersion = FirmwareVersion(major: 1, minor: 58, build: 4)
        builder.launchMitigationVector = 1
        builder.currentMitigationVector = .max
        var bytes = builder.unsignedBytes()
        let signature = (0..<96).map { UInt8($0 + 1) }
        #expect(ReportBuilder.install(signature: signature, in: &bytes))
        let report = try AttestationReport(bytes)
        #expect(report.guestSVN == 0xAABB_CCDD && report.vmpl == 2 && report.version == 5)
        #expect(report.keyInfo.authorKeyEnabled && report.keyInfo.signingKey == .vlek)
        #expect(report.reportData == builder.reportData && report.measurement == builder.measurement)
        #expect(report.hostData == builder.hostData && report.chipID == builder.chipID)
        #expect(report.idKeyDigest == builder.idKeyDigest && report.authorKeyDigest == builder.authorKeyDigest)
        #expect(report.reportID == builder.reportID && report.reportIDMA == [UInt8](repeating: 0xFF, count: 32))
        #expect(report.product == .turin && report.cpuid == builder.cpuid)
        #expect(
            [report.currentTCB, report.reportedTCB, report.committedTCB, report.launchTCB] == [
                builder.currentTCB, builder.reportedTCB, builder.committedTCB, builder.launchTCB,
            ])
        #expect(report.currentVersion.description == "1.58 build 4")
        #expect(report.launchMitigationVector == 1 && report.currentMitigationVector == .max)
        #expect(report.signature == signature)
        #expect(report.signedBytes == Array(bytes[..<672]))
        #expect(report.withSignedBytes { Array($0) } == report.signedBytes)
    }

    @Test func signatureOfTheWrongLengthIsNotInstalled() {
        var bytes = ReportBuilder().unsignedBytes()
        let before = bytes
        #expect(!ReportBuilder.install(signature: [UInt8](repeating: 1, count: 95), in: &bytes))
        #expect(bytes == before)
        var short = [UInt8](repeating: 0, count: 1183)
        #expect(!ReportBuilder.install(signature: [UInt8](repeating: 1, count: 96), in: &short))
    }

    @Test func componentsAreOrderedOneByOne() {
        let low = TCBComponents(bootloader: 4, tee: 0, snp: 24, microcode: 217)
        let high = TCBComponents(bootloader: 4, tee: 0, snp: 24, microcode: 219)
        #expect(low.isAtMost(high) && !high.isAtMost(low) && low.isAtMost(low))
        let mixed = TCBComponents(bootloader: 3, tee: 0, snp: 25, microcode: 219)
        #expect(!mixed.isAtMost(high) && !high.isAtMost(mixed))
        #expect(
            !TCBComponents(fmc: 1, bootloader: 0, tee: 0, snp: 0, microcode: 0).isAtMost(
                TCBComponents(fmc: 0, bootloader: 9, tee: 9, snp: 9, microcode: 9)))
    }
}
