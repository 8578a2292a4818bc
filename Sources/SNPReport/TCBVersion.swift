/// Which patch level stands in which of the 8 bytes of a TCB_VERSION (AMDEndorsements.md, "TCB layouts").
package struct TCBLayout: Sendable, Hashable {
    /// What a byte holds. The raw values are the names in files and on the command line; with `SPL` behind them, those in AMD's service.
    package enum Slot: String, Sendable, CaseIterable {
        /// First mutable code.
        case fmc
        case bootloader = "bl"
        case tee, snp
        case microcode = "ucode"
        /// Reserved bytes that leaf certificates speak of.
        case spl4, spl5, spl6, spl7
        /// A byte that no certificate speaks of: zero.
        case reserved

        /// The patch levels that have a meaning.
        package static let components: [Slot] = [.fmc, .bootloader, .tee, .snp, .microcode]

        /// Last arc of the patch level's OID in a leaf certificate (AMD 57230).
        package var arc: Int? {
            switch self {
            case .bootloader: 1
            case .tee: 2
            case .snp: 3
            case .spl4: 4
            case .spl5: 5
            case .spl6: 6
            case .spl7: 7
            case .microcode: 8
            case .fmc: 9
            case .reserved: nil
            }
        }

        /// For people.
        package var words: String {
            switch self {
            case .fmc: "FMC"
            case .bootloader: "boot loader"
            case .tee: "TEE"
            case .snp: "SNP"
            case .microcode: "microcode"
            case .spl4, .spl5, .spl6, .spl7, .reserved: "reserved"
            }
        }
    }

    /// Eight, in the order of the bytes as they are stored.
    package let slots: [Slot]

    init(_ slots: [Slot]) { self.slots = slots }

    /// A layout out of names; `nil` unless there are eight, each but `reserved` at most once and at least one that has a meaning.
    package init?(names: [String]) {
        let slots = names.compactMap(Slot.init)
        let named = slots.filter { $0 != .reserved }
        guard slots.count == 8, names.count == 8, Set(named).count == named.count, slots.contains(where: Slot.components.contains)
        else { return nil }
        self.slots = slots
    }

    package func has(_ slot: Slot) -> Bool { slots.contains(slot) }
}

/// A TCB_VERSION: the security patch levels of the platform's components in 8 bytes, whose layout depends on the product.
package struct TCBVersion: Sendable, Hashable {
    /// The 8 bytes as one little-endian integer. Only components can be ordered; comparing `raw` values means nothing.
    package let raw: UInt64

    package init(raw: UInt64) { self.raw = raw }

    /// Puts components into the layout of `product`; the bytes between them are zero.
    package init(_ components: TCBComponents, for product: ProcessorProduct) {
        raw = product.layout.slots.enumerated().reduce(0) { $0 | UInt64(components[$1.element] ?? 0) << UInt64(8 * $1.offset) }
    }

    /// The byte at `index` (0...7) of the field as it is stored.
    package func byte(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: raw >> (UInt64(index) * 8)) }

    /// The patch levels in `product`'s layout (AMD 56860, table "TCB_VERSION").
    package func components(for product: ProcessorProduct) -> TCBComponents {
        func level(_ slot: TCBLayout.Slot) -> UInt8? { product.layout.slots.firstIndex(of: slot).map(byte) }
        return TCBComponents(
            fmc: level(.fmc), bootloader: level(.bootloader), tee: level(.tee), snp: level(.snp), microcode: level(.microcode))
    }

    /// 16 lower-case hex digits, most significant first, as THIM prints `tcbm`.
    package var hex: String { raw.hexDigits(16) }
}

/// Security patch levels by component; `nil` where the product has no such component.
package struct TCBComponents: Sendable, Equatable {
    /// First mutable code; from Turin on.
    package let fmc: UInt8?
    /// Not on Venice.
    package let bootloader: UInt8?
    package let tee: UInt8?
    package let snp: UInt8?
    /// Not on Venice.
    package let microcode: UInt8?

    package init(fmc: UInt8? = nil, bootloader: UInt8? = nil, tee: UInt8? = nil, snp: UInt8? = nil, microcode: UInt8? = nil) {
        self.fmc = fmc
        self.bootloader = bootloader
        self.tee = tee
        self.snp = snp
        self.microcode = microcode
    }

    package subscript(_ slot: TCBLayout.Slot) -> UInt8? {
        switch slot {
        case .fmc: fmc
        case .bootloader: bootloader
        case .tee: tee
        case .snp: snp
        case .microcode: microcode
        case .spl4, .spl5, .spl6, .spl7, .reserved: nil
        }
    }

    /// Whether no component is newer than the same component of `other`.
    package func isAtMost(_ other: TCBComponents) -> Bool {
        TCBLayout.Slot.components.allSatisfy { self[$0] ?? 0 <= other[$0] ?? 0 }
    }
}

extension TCBComponents: CustomStringConvertible {
    /// For example `boot loader 4, TEE 0, SNP 24, microcode 219`.
    package var description: String {
        TCBLayout.Slot.components.compactMap { slot in self[slot].map { "\(slot.words) \($0)" } }.joined(separator: ", ")
    }
}

extension UInt64 {
    /// The low `count` hex digits, lower case, padded with zeros.
    func hexDigits(_ count: Int) -> String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: Swift.max(0, count - digits.utf8.count)) + digits
    }
}
