/// A TCB_VERSION: the security patch levels of the platform's components in 8 bytes, whose layout depends on the product.
package struct TCBVersion: Sendable, Hashable {
    /// The 8 bytes as one little-endian integer. Only components can be ordered; comparing `raw` values means nothing.
    package let raw: UInt64

    package init(raw: UInt64) { self.raw = raw }

    /// Puts components into the layout of `product`; the bytes between them are zero.
    package init(_ components: TCBComponents, for product: ProcessorProduct) {
        switch product {
        case .milan, .genoa:
            raw =
                UInt64(components.bootloader) | UInt64(components.tee) << 8 | UInt64(components.snp) << 48 | UInt64(components.microcode)
                << 56
        case .turin:
            raw =
                UInt64(components.fmc ?? 0) | UInt64(components.bootloader) << 8 | UInt64(components.tee) << 16 | UInt64(components.snp)
                << 24 | UInt64(components.microcode) << 56
        }
    }

    /// The byte at `index` (0...7) of the field as it is stored.
    package func byte(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: raw >> (UInt64(index) * 8)) }

    /// The patch levels in `product`'s layout (AMD 56860, table "TCB_VERSION").
    package func components(for product: ProcessorProduct) -> TCBComponents {
        switch product {
        case .milan, .genoa: TCBComponents(fmc: nil, bootloader: byte(0), tee: byte(1), snp: byte(6), microcode: byte(7))
        case .turin: TCBComponents(fmc: byte(0), bootloader: byte(1), tee: byte(2), snp: byte(3), microcode: byte(7))
        }
    }

    /// 16 lower-case hex digits, most significant first, as THIM prints `tcbm`.
    package var hex: String { raw.hexDigits(16) }
}

/// Security patch levels by component.
package struct TCBComponents: Sendable, Equatable {
    /// First mutable code; Turin only.
    package let fmc: UInt8?
    package let bootloader: UInt8
    package let tee: UInt8
    package let snp: UInt8
    package let microcode: UInt8

    package init(fmc: UInt8? = nil, bootloader: UInt8, tee: UInt8, snp: UInt8, microcode: UInt8) {
        self.fmc = fmc
        self.bootloader = bootloader
        self.tee = tee
        self.snp = snp
        self.microcode = microcode
    }

    /// Whether no component is newer than the same component of `other`.
    package func isAtMost(_ other: TCBComponents) -> Bool {
        fmc ?? 0 <= other.fmc ?? 0 && bootloader <= other.bootloader && tee <= other.tee && snp <= other.snp && microcode <= other.microcode
    }
}

extension TCBComponents: CustomStringConvertible {
    /// For example `boot loader 4, TEE 0, SNP 24, microcode 219`.
    package var description: String {
        (fmc.map { "FMC \($0), " } ?? "") + "boot loader \(bootloader), TEE \(tee), SNP \(snp), microcode \(microcode)"
    }
}

extension UInt64 {
    /// The low `count` hex digits, lower case, padded with zeros.
    func hexDigits(_ count: Int) -> String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: Swift.max(0, count - digits.utf8.count)) + digits
    }
}
