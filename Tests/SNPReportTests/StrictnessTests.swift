import Issuing
import SNPReport
import Testing

@Suite("Strict decoding") struct StrictnessTests {
    static func report(version: UInt32 = 3) -> [UInt8] {
        var builder = ReportBuilder()
        builder.version = version
        builder.cpuid = ProcessorID(family: 0x19, model: 1, stepping: 1)
        builder.currentMitigationVector = 3
        return builder.unsignedBytes()
    }

    static func check(_ bytes: [UInt8]) -> ReportError.Check? {
        do throws(ReportError) { return try AttestationReport.inspect(bytes).problems.first?.check } catch { return error.check }
    }

    @Test func everyLengthButOneIsRefused() throws {
        let good = Self.report()
        for count in 0...1300 where count != 1184 {
            let bytes = count < 1184 ? Array(good.prefix(count)) : good + [UInt8](repeating: 0, count: count - 1184)
            #expect(Self.check(bytes) == .length, "\(count) bytes")
        }
        #expect(Self.check(good) == nil)
    }

    @Test func theKnownVersions() {
        for version in UInt32(0)...99 {
            let expected: ReportError.Check? = (2...6).contains(version) ? nil : .version
            #expect(Self.check(Self.report(version: version)) == expected, "version \(version)")
        }
        #expect(Self.check(Self.report(version: .max)) == .version)
    }

    /// Section 1 of the format: the ranges that each version reserves, and nothing but these.
    @Test(arguments: [UInt32(2), 3, 4, 5, 6]) func reservedRangesAreExactlyThese(version: UInt32) {
        var reserved = Set(0x4C..<0x50)
        reserved.formUnion(version == 2 ? 0x188..<0x1A0 : 0x18B..<0x1A0)
        reserved.formUnion([0x1EB, 0x1EF])
        reserved.formUnion(version < 4 ? 0x1F8..<0x2A0 : version < 6 ? 0x208..<0x2A0 : 0x208..<0x220)
        if version == 6 { reserved.formUnion(0x280..<0x2A0) }
        let inSignature = Set(0x2D0..<0x2E8).union(0x318..<0x330).union(0x330..<0x4A0)
        let good = Self.report(version: version)
        for offset in good.indices {
            // Fields whose bits are judged one by one have tests of their own.
            if (0..<4).contains(offset) || (8..<16).contains(offset) || (0x34..<0x38).contains(offset) || (0x48..<0x4C).contains(offset) {
                continue
            }
            for bit in [UInt8(1), 0x80] {
                var bytes = good
                bytes[offset] ^= bit
                let expected: ReportError.Check? =
                    reserved.contains(offset) ? .reserved : inSignature.contains(offset) ? .signatureReserved : nil
                #expect(Self.check(bytes) == expected, "version \(version), offset \(offset)")
            }
        }
    }

    @Test func policyBits() {
        for bit in 0..<64 {
            var bytes = Self.report()
            bytes[8 + bit / 8] ^= 1 << UInt8(bit % 8)
            let expected: ReportError.Check? = bit == 17 || bit > 25 ? .policyReserved : nil
            #expect(Self.check(bytes) == expected, "policy bit \(bit)")
        }
    }

    @Test func keyInformationBits() {
        for bit in 0..<32 {
            var bytes = Self.report()
            bytes[0x48 + bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(Self.check(bytes) == (bit > 4 ? .reserved : nil), "key information bit \(bit)")
        }
    }

    /// What never moved since version 2 is enough for passing a report on; the rest is named.
    @Test("a report of a version that nobody knows is read, and its fields are unjudged") func unknownVersions() throws {
        for version in [UInt32(7), 99, .max] {
            var bytes = Self.report(version: version)
            for offset in 0x208..<0x220 { bytes[offset] = 0xAA }
            bytes[0x0F] = 0xFF
            let report = try AttestationReport(bytes)
            #expect(report.isOfUnknownVersion && report.unjudged.contains("measurement"))
            #expect(report.unjudged.contains("bytes 0x208 to 0x21f") && !report.unjudged.contains("bytes 0x280 to 0x29f"))
            #expect(try AttestationReport.inspect(bytes).problems.map(\.check) == [.version])
            bytes[0x330] = 1
            #expect(try AttestationReport.inspect(bytes).problems.map(\.check) == [.version, .signatureReserved])
            bytes[0x34] = 2
            #expect(throws: ReportError.self) { try AttestationReport(bytes) }
        }
        for version in [UInt32(0), 1] {
            #expect(throws: ReportError.self) { try AttestationReport(Self.report(version: version)) }
        }
    }

    @Test("absent mitigation vectors are not zero, and version 4 has none that anybody confirmed") func mitigationVectors() throws {
        for version in UInt32(2)...6 {
            let report = try AttestationReport(Self.report(version: version))
            #expect(report.currentMitigationVector == (version >= 5 ? 3 : nil), "version \(version)")
            #expect(report.unjudged == (version == 4 ? ["current_mit_vector"] : []))
            #expect((report.currentETCB == nil) == (version < 6))
        }
    }

    @Test func unknownPlatformBitsAreTolerated() throws {
        var bytes = Self.report()
        for offset in 0x40..<0x48 { bytes[offset] = 0xFF }
        #expect(try AttestationReport(bytes).platformInfo.raw == .max)
    }

    @Test func onlySignatureAlgorithmOne() {
        for algorithm in [UInt8(0), 2, 3, 0xFF] {
            var bytes = Self.report()
            bytes[0x34] = algorithm
            #expect(Self.check(bytes) == .signatureAlgorithm)
        }
        var bytes = Self.report()
        bytes[0x37] = 1
        #expect(Self.check(bytes) == .signatureAlgorithm)
    }

    @Test func inspectionListsEverything() throws {
        var bytes = Self.report()
        bytes[0] = 1
        bytes[0x34] = 0
        bytes[0x0A] = 0
        bytes[0x4C] = 1
        bytes[0x330] = 1
        let problems = try AttestationReport.inspect(bytes).problems.map(\.check)
        #expect(problems == [.version, .signatureAlgorithm, .policyReserved, .reserved, .signatureReserved])
    }

    @Test func signingKeys() throws {
        let expected: [KeyInfo.SigningKey] = [.vcek, .vlek, .reserved(2), .reserved(3), .reserved(4), .reserved(5), .reserved(6), .none]
        for (value, key) in expected.enumerated() {
            var builder = ReportBuilder()
            builder.keyInfo = KeyInfo(raw: UInt32(value) << 2 | 0b11)
            let report = try AttestationReport(builder.unsignedBytes())
            #expect(report.keyInfo.signingKey == key)
            #expect(report.keyInfo.maskChipKey && report.keyInfo.authorKeyEnabled)
        }
    }

    @Test func seededMutationNeverCrashes() throws {
        var generator = SplitMix(state: 7)
        for _ in 0..<5000 {
            var bytes = Self.report(version: UInt32.random(in: 0...8, using: &generator))
            for _ in 0..<Int.random(in: 1...40, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            let (report, problems) = try AttestationReport.inspect(bytes)
            let isReadable = report.version >= 2 && report.signatureAlgorithm == 1
            #expect((try? AttestationReport(bytes)) == (isReadable ? report : nil))
            #expect(isReadable || !problems.isEmpty)
            _ = (report.unjudged, report.currentETCB)
            _ = (report.product, report.chipID, report.signature, report.reportedTCB.components(for: .turin))
        }
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
