extension AttestationReport {
    /// The newest version whose layout is known.
    package static let newestVersion: UInt32 = 6

    /// Whether the report says that it is of a version after those that are known. Size, signature and signed range are as ever.
    package var isOfUnknownVersion: Bool { version > Self.newestVersion }

    /// Names of what nobody here can judge: a field that is set and has no confirmed meaning in this version; of an unknown version every
    /// field, and whatever is set where the newest known one has nothing. Names are AMD's, in lower case, or places.
    package var unjudged: [String] {
        if isOfUnknownVersion {
            return Self.fieldNames + unknownRanges.filter(isSet).map(Self.words)
        }
        var names: [String] = []
        // Nobody has shown a report of version 4; whether it has the vectors of version 5 is not confirmed.
        if version == 4 {
            if isSet(0x1F8..<0x200) { names.append("launch_mit_vector") }
            if isSet(0x200..<0x208) { names.append("current_mit_vector") }
        }
        for (name, etcb) in [("current_etcb", currentETCB), ("launch_etcb", launchETCB), ("committed_etcb", committedETCB)]
        where etcb?.hasUnknownBytes == true { names.append(name) }
        return names
    }

    private static let fieldNames = [
        "guest_svn", "policy", "family_id", "image_id", "vmpl", "current_tcb", "platform_info", "key_info", "report_data", "measurement",
        "host_data", "id_key_digest", "author_key_digest", "report_id", "report_id_ma", "reported_tcb", "cpuid_fam_mod_step", "chip_id",
        "committed_tcb", "current_version", "committed_version", "launch_tcb", "launch_mit_vector", "current_mit_vector", "current_etcb",
        "launch_etcb", "committed_etcb",
    ]

    /// What the newest known version reserves.
    private var unknownRanges: [Range<Int>] {
        [
            ReportLayout.reservedAfterKeyInfo, ReportLayout.reservedAfterCPUID, ReportLayout.reservedAfterCurrentVersion,
            ReportLayout.reservedAfterCommittedVersion, ReportLayout.reservedAfterMitigationVectors, ReportLayout.reservedAfterETCBs,
        ]
    }

    private func isSet(_ range: Range<Int>) -> Bool { bytes[range].contains { $0 != 0 } }
}
