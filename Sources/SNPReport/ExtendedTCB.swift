/// An ETCB_VERSION: one security version number a byte, from version 6 on (AttestationReport.md, "Extended TCB"). No certificate covers it.
package struct ExtendedTCB: Sendable, Equatable {
    /// 32 bytes as they are stored.
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = Array((bytes + [UInt8](repeating: 0, count: 32)).prefix(32)) }

    /// What the first bytes stand for, in their order.
    package static let names = [
        "ip_key_manager", "mp1", "art_fmc", "art_runtime", "had_driver", "boot_driver", "pre_esid", "tmpm", "microcode", "soc_driver",
        "asp_os_driver", "fhp_driver", "dpe_driver", "arg",
    ]

    /// The bytes that have a name.
    package var components: [(name: String, level: UInt8)] { Array(zip(Self.names, bytes)).map { ($0, $1) } }

    /// Whether a byte without a name is set.
    package var hasUnknownBytes: Bool { bytes.dropFirst(Self.names.count).contains { $0 != 0 } }
}
