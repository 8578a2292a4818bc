internal import OpenSSLCrypto
internal import SNPReport
internal import StrictJSON

/// An attestation report as JSON: every field under AMD's name in lower case, byte fields as lower-case hex in report order.
enum ReportJSON {
    /// `product` settles the TCB layout where the report (version 2) does not name its processor.
    static func value(_ report: AttestationReport, product: ProcessorProduct?) -> JSONValue {
        let product = report.product ?? product
        // Version 2 names no processor. It is of Milan or Genoa, which share a layout.
        let layout = product ?? (report.version == 2 ? .milan : nil)
        var members: [(String, JSONValue)] = [
            ("version", .integer(Int64(report.version))), ("guest_svn", .integer(Int64(report.guestSVN))),
            ("policy", policy(report.policy)), ("family_id", hex(report.familyID)), ("image_id", hex(report.imageID)),
            ("vmpl", .integer(Int64(report.vmpl))), ("signature_algo", .integer(Int64(report.signatureAlgorithm))),
            ("current_tcb", tcb(report.currentTCB, layout)), ("platform_info", platform(report.platformInfo)),
            ("author_key_en", .boolean(report.keyInfo.authorKeyEnabled)), ("mask_chip_key", .boolean(report.keyInfo.maskChipKey)),
            ("signing_key", .string(report.keyInfo.signingKey.description)), ("report_data", hex(report.reportData)),
            ("measurement", hex(report.measurement)), ("host_data", hex(report.hostData)), ("id_key_digest", hex(report.idKeyDigest)),
            ("author_key_digest", hex(report.authorKeyDigest)), ("report_id", hex(report.reportID)),
            ("report_id_ma", hex(report.reportIDMA)), ("reported_tcb", tcb(report.reportedTCB, layout)),
        ]
        if let cpuid = report.cpuid {
            members.append(
                (
                    "cpuid_fam_mod_step",
                    .array([.integer(Int64(cpuid.family)), .integer(Int64(cpuid.model)), .integer(Int64(cpuid.stepping))])
                ))
        }
        members += [
            ("product", product.map { .string($0.rawValue) } ?? .null), ("chip_id", hex(report.chipID)),
            ("committed_tcb", tcb(report.committedTCB, layout)), ("current_version", .string(report.currentVersion.description)),
            ("committed_version", .string(report.committedVersion.description)), ("launch_tcb", tcb(report.launchTCB, layout)),
        ]
        if let vector = report.launchMitigationVector { members.append(("launch_mit_vector", .string(digits(vector)))) }
        if let vector = report.currentMitigationVector { members.append(("current_mit_vector", .string(digits(vector)))) }
        for (name, etcb) in [
            ("current_etcb", report.currentETCB), ("launch_etcb", report.launchETCB), ("committed_etcb", report.committedETCB),
        ] { if let etcb { members.append((name, extended(etcb))) } }
        if !report.unjudged.isEmpty { members.append(("unjudged", .array(report.unjudged.map { .string($0) }))) }
        return .object(JSONObject(members))
    }

    private static func extended(_ etcb: ExtendedTCB) -> JSONValue {
        let levels = etcb.components.map { ($0.name, JSONValue.integer(Int64($0.level))) }
        return .object(JSONObject([("hex", .string(Hex.encode(etcb.bytes)))] + levels))
    }

    private static func hex(_ bytes: [UInt8]) -> JSONValue { .string(Hex.encode(bytes)) }

    private static func digits(_ value: UInt64) -> String {
        Hex.encode((0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) })
    }

    private static func tcb(_ tcb: TCBVersion, _ product: ProcessorProduct?) -> JSONValue {
        var members: [(String, JSONValue)] = [("u64_hex", .string(tcb.hex))]
        if let product {
            let parts = tcb.components(for: product)
            for (name, level) in [
                ("fmc", parts.fmc), ("bootloader", parts.bootloader), ("tee", parts.tee), ("snp", parts.snp),
                ("microcode", parts.microcode),
            ] { if let level { members.append((name, .integer(Int64(level)))) } }
        }
        return .object(JSONObject(members))
    }

    private static func policy(_ policy: GuestPolicy) -> JSONValue {
        .object(
            JSONObject([
                ("u64_hex", .string(digits(policy.raw))), ("abi_minor", .integer(Int64(policy.abiMinor))),
                ("abi_major", .integer(Int64(policy.abiMajor))), ("smt", .boolean(policy.allowsSMT)),
                ("migrate_ma", .boolean(policy.allowsMigration)), ("debug", .boolean(policy.allowsDebug)),
                ("single_socket", .boolean(policy.requiresSingleSocket)), ("cxl_allow", .boolean(policy.allowsCXL)),
                ("mem_aes_256_xts", .boolean(policy.requiresAES256XTS)), ("rapl_dis", .boolean(policy.requiresRAPLDisabled)),
                ("ciphertext_hiding_dram", .boolean(policy.requiresCiphertextHiding)),
                ("page_swap_disable", .boolean(policy.disablesPageSwap)),
            ]))
    }

    private static func platform(_ info: PlatformInfo) -> JSONValue {
        .object(
            JSONObject([
                ("u64_hex", .string(digits(info.raw))), ("smt_en", .boolean(info.smtEnabled)), ("tsme_en", .boolean(info.tsmeEnabled)),
                ("ecc_en", .boolean(info.eccEnabled)), ("rapl_dis", .boolean(info.raplDisabled)),
                ("ciphertext_hiding_dram_en", .boolean(info.ciphertextHidingEnabled)),
                ("alias_check_complete", .boolean(info.aliasCheckComplete)), ("iommu_write_safe", .boolean(info.iommuWriteSafe)),
                ("tio_en", .boolean(info.tioEnabled)),
            ]))
    }
}
