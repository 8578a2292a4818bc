/// POLICY: what the guest's owner demanded at launch (AMD 56860, table "Guest Policy").
package struct GuestPolicy: Sendable, Equatable {
    package let raw: UInt64

    package init(raw: UInt64) { self.raw = raw }

    /// Minimum firmware ABI, minor number.
    package var abiMinor: UInt8 { UInt8(truncatingIfNeeded: raw) }
    /// Minimum firmware ABI, major number.
    package var abiMajor: UInt8 { UInt8(truncatingIfNeeded: raw >> 8) }
    /// Bit 16: simultaneous multithreading is allowed.
    package var allowsSMT: Bool { bit(16) }
    /// Bit 17: reserved, one in every valid policy.
    package var reservedOne: Bool { bit(17) }
    /// Bit 18: a migration agent may be associated with the guest.
    package var allowsMigration: Bool { bit(18) }
    /// Bit 19: the host may decrypt the guest's memory.
    package var allowsDebug: Bool { bit(19) }
    /// Bit 20: the guest runs on one socket only.
    package var requiresSingleSocket: Bool { bit(20) }
    /// Bit 21: CXL devices may be populated.
    package var allowsCXL: Bool { bit(21) }
    /// Bit 22: memory is encrypted with AES-256 XTS.
    package var requiresAES256XTS: Bool { bit(22) }
    /// Bit 23: running average power limit is off.
    package var requiresRAPLDisabled: Bool { bit(23) }
    /// Bit 24: ciphertext hiding for DRAM is on.
    package var requiresCiphertextHiding: Bool { bit(24) }
    /// Bit 25: pages of the guest are never swapped or moved.
    package var disablesPageSwap: Bool { bit(25) }
    /// Bits 63:26, zero in every policy that this version of the format allows.
    package var reservedHighBits: UInt64 { raw >> 26 }

    private func bit(_ position: UInt64) -> Bool { raw >> position & 1 == 1 }
}

/// PLATFORM_INFO: the state of the platform when the report was made. Bits that are not named here are kept in `raw` and tolerated.
package struct PlatformInfo: Sendable, Equatable {
    package let raw: UInt64

    package init(raw: UInt64) { self.raw = raw }

    /// Bit 0: simultaneous multithreading is on.
    package var smtEnabled: Bool { bit(0) }
    /// Bit 1: transparent memory encryption is on.
    package var tsmeEnabled: Bool { bit(1) }
    /// Bit 2: ECC memory is in use.
    package var eccEnabled: Bool { bit(2) }
    /// Bit 3: running average power limit is off.
    package var raplDisabled: Bool { bit(3) }
    /// Bit 4: ciphertext hiding for DRAM is on.
    package var ciphertextHidingEnabled: Bool { bit(4) }
    /// Bit 5: memory was checked for aliased addresses (AMD-SB-3015, "BadRAM").
    package var aliasCheckComplete: Bool { bit(5) }
    /// Bit 6: the IOMMU keeps devices from writing to the guest's memory (AMD-SB-3016).
    package var iommuWriteSafe: Bool { bit(6) }
    /// Bit 7: trusted I/O is on.
    package var tioEnabled: Bool { bit(7) }

    private func bit(_ position: UInt64) -> Bool { raw >> position & 1 == 1 }
}

/// The u32 at 0x48: which key signed the report.
package struct KeyInfo: Sendable, Equatable {
    package let raw: UInt32

    package init(raw: UInt32) { self.raw = raw }

    /// SIGNING_KEY, bits 4:2.
    package enum SigningKey: Sendable, Equatable {
        /// The chip's own key.
        case vcek
        /// A key that AMD loaded for a cloud provider.
        case vlek
        /// The report is not signed.
        case none
        /// A value that AMD reserves (2...6).
        case reserved(UInt8)
    }

    /// Bit 0: AUTHOR_KEY_DIGEST holds a digest.
    package var authorKeyEnabled: Bool { raw & 1 == 1 }
    /// Bit 1: the firmware does not use the VCEK and writes zeros instead of its signature.
    package var maskChipKey: Bool { raw >> 1 & 1 == 1 }
    package var signingKey: SigningKey {
        switch raw >> 2 & 0b111 {
        case 0: .vcek
        case 1: .vlek
        case 7: .none
        case let value: .reserved(UInt8(value))
        }
    }
    /// Bits 31:5, which must be zero.
    package var reservedBits: UInt32 { raw >> 5 }
}

extension KeyInfo.SigningKey: CustomStringConvertible {
    /// `VCEK`, `VLEK`, `none` or `reserved value n`.
    package var description: String {
        switch self {
        case .vcek: "VCEK"
        case .vlek: "VLEK"
        case .none: "none"
        case .reserved(let value): "reserved value \(value)"
        }
    }
}

/// The version of the SNP firmware: for example 1.55 build 29.
package struct FirmwareVersion: Sendable, Equatable, CustomStringConvertible {
    package let major: UInt8
    package let minor: UInt8
    package let build: UInt8

    package init(major: UInt8, minor: UInt8, build: UInt8) {
        self.major = major
        self.minor = minor
        self.build = build
    }

    package var description: String { "\(major).\(minor) build \(build)" }
}
