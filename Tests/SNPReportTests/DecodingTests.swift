import EvidenceSamples
import SNPReport
import StrictJSON
import Testing

/// Every field of every sample against the values that were computed independently of this code.
@Suite("Decoding real reports", .enabled(if: EvidenceSample.isAvailable, "../shared/evidence is not there")) struct DecodingTests {
    @Test(arguments: EvidenceSample.withReport) func everyFieldIsAsExpected(sample: EvidenceSample) throws {
        let expected = try #require(sample.expected.at("report")?.members)
        let report = try AttestationReport(sample.report)

        // Each member of the expected object is either compared below or listed here; a new one fails the test.
        var remaining = Set(expected.keys)
        func text(_ name: String) throws -> String {
            remaining.remove(name)
            return try #require(expected[name]?.text, "\(name)")
        }
        func number(_ name: String) throws -> Int64 {
            remaining.remove(name)
            return try #require(expected[name]?.number, "\(name)")
        }
        func nullableText(_ name: String) -> String? {
            remaining.remove(name)
            return expected[name]?.text
        }

        #expect(Int64(report.version) == (try number("version")))
        #expect(Int64(report.guestSVN) == (try number("guest_svn")))
        #expect(hex(report.policy.raw, 16) == (try text("policy_u64_hex")))
        #expect(hex(report.familyID) == (try text("family_id")))
        #expect(hex(report.imageID) == (try text("image_id")))
        #expect(Int64(report.vmpl) == (try number("vmpl")))
        #expect(Int64(report.signatureAlgorithm) == (try number("signature_algo")))
        #expect(hex(report.platformInfo.raw, 16) == (try text("platform_info_u64_hex")))
        #expect(hex(UInt64(report.keyInfo.raw), 8) == (try text("key_info_u32_hex")))
        #expect(report.keyInfo.authorKeyEnabled == (try number("author_key_en") == 1))
        #expect(report.keyInfo.maskChipKey == (try number("mask_chip_key") == 1))
        #expect(report.keyInfo.signingKey.description == (try text("signing_key")))
        #expect(hex(report.reportData) == (try text("report_data")))
        #expect(hex(report.measurement) == (try text("measurement")))
        #expect(hex(report.hostData) == (try text("host_data")))
        #expect(hex(report.idKeyDigest) == (try text("id_key_digest")))
        #expect(hex(report.authorKeyDigest) == (try text("author_key_digest")))
        #expect(hex(report.reportID) == (try text("report_id")))
        #expect(hex(report.reportIDMA) == (try text("report_id_ma")))
        #expect(report.cpuid?.description == nullableText("cpuid_fam_mod_step"))
        #expect(hex(report.chipID) == (try text("chip_id")))
        #expect(report.currentVersion.description == (try text("current_version")))
        #expect(report.committedVersion.description == (try text("committed_version")))
        #expect(report.launchMitigationVector.map { hex($0, 16) } == nullableText("launch_mit_vector"))
        #expect(report.currentMitigationVector.map { hex($0, 16) } == nullableText("current_mit_vector"))
        #expect(hex(report.signatureR) == padded(try text("sig_r_be")))
        #expect(hex(report.signatureS) == padded(try text("sig_s_be")))
        #expect(report.product?.rawValue == nullableText("product_from_report"))
        #expect(expected["reserved_nonzero"] == .array([]))
        remaining.remove("reserved_nonzero")

        let lineName = try #require(sample.expected["product_line"]?.text)
        let line = try #require(ProcessorProduct(rawValue: lineName))
        for (name, tcb) in [
            ("current_tcb", report.currentTCB), ("reported_tcb", report.reportedTCB), ("committed_tcb", report.committedTCB),
            ("launch_tcb", report.launchTCB),
        ] {
            remaining.remove(name)
            try compare(tcb, with: #require(expected[name]?.members), in: line)
        }
        remaining.remove("policy")
        comparePolicy(report.policy, with: try #require(expected["policy"]?.members))
        remaining.remove("platform_info")
        comparePlatform(report.platformInfo, with: try #require(expected["platform_info"]?.members))
        #expect(remaining.isEmpty, "not compared: \(remaining.sorted())")
    }

    private func compare(_ tcb: TCBVersion, with expected: JSONObject, in line: ProcessorProduct) throws {
        let components = tcb.components(for: line)
        #expect(tcb.hex == expected["u64_hex"]?.text)
        #expect(hex((0..<8).map { tcb.byte($0) }) == expected["hex_le_bytes"]?.text)
        #expect(components.fmc.map(Int64.init) == expected["fmc"]?.number)
        #expect(components.bootloader.map(Int64.init) == expected["bootloader"]?.number)
        #expect(components.tee.map(Int64.init) == expected["tee"]?.number)
        #expect(components.snp.map(Int64.init) == expected["snp"]?.number)
        #expect(components.microcode.map(Int64.init) == expected["microcode"]?.number)
        #expect(TCBVersion(components, for: line) == tcb)
    }

    private func comparePolicy(_ policy: GuestPolicy, with expected: JSONObject) {
        #expect(Int64(policy.abiMinor) == expected["abi_minor"]?.number)
        #expect(Int64(policy.abiMajor) == expected["abi_major"]?.number)
        #expect(policy.allowsSMT == expected["smt"]?.flag)
        #expect(policy.reservedOne == expected["reserved_bit17_must_be_1"]?.flag)
        #expect(policy.allowsMigration == expected["migrate_ma"]?.flag)
        #expect(policy.allowsDebug == expected["debug"]?.flag)
        #expect(policy.requiresSingleSocket == expected["single_socket"]?.flag)
        #expect(policy.allowsCXL == expected["cxl_allow"]?.flag)
        #expect(policy.requiresAES256XTS == expected["mem_aes_256_xts"]?.flag)
        #expect(policy.requiresRAPLDisabled == expected["rapl_dis"]?.flag)
        #expect(policy.requiresCiphertextHiding == expected["ciphertext_hiding_dram"]?.flag)
        #expect(policy.disablesPageSwap == expected["page_swap_disable"]?.flag)
        #expect(expected.count == 12)
    }

    private func comparePlatform(_ info: PlatformInfo, with expected: JSONObject) {
        #expect(info.smtEnabled == expected["smt_en"]?.flag)
        #expect(info.tsmeEnabled == expected["tsme_en"]?.flag)
        #expect(info.eccEnabled == expected["ecc_en"]?.flag)
        #expect(info.raplDisabled == expected["rapl_dis"]?.flag)
        #expect(info.ciphertextHidingEnabled == expected["ciphertext_hiding_dram_en"]?.flag)
        #expect(info.aliasCheckComplete == expected["alias_check_complete"]?.flag)
        #expect(info.iommuWriteSafe == expected["bit6"]?.flag)
        #expect(info.tioEnabled == expected["tio_en"]?.flag)
        #expect(String(info.raw >> 8) == expected["bits_63_8"]?.text)
        #expect(expected.count == 9)
    }
}

/// The samples print r and s as numbers, without leading zeros.
private func padded(_ number: String) -> String { String(repeating: "0", count: 96 - number.utf8.count) + number }

func hex(_ bytes: [UInt8]) -> String { bytes.map { hex(UInt64($0), 2) }.joined() }

func hex(_ value: UInt64, _ digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: digits - text.count) + text
}
