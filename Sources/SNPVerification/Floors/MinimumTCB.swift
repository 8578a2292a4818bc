internal import PlainText
package import SNPReport

/// The lowest patch levels that are accepted, each component for itself; one that is not named may have any level.
package struct MinimumTCB: Sendable, Equatable, CustomStringConvertible {
    package let levels: [TCBLayout.Slot: UInt8]

    package init(_ levels: [TCBLayout.Slot: UInt8]) { self.levels = levels }

    /// `fmc=1,bl=4,tee=0,snp=24,ucode=219`, any of them in any order, numbers in decimal or as 0x18.
    package init?(parsing text: String) {
        var levels: [TCBLayout.Slot: UInt8] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == 2, let slot = TCBLayout.Slot(rawValue: String(pair[0])), TCBLayout.Slot.components.contains(slot),
                levels[slot] == nil, let value = BitMask.parse(String(pair[1])), let level = UInt8(exactly: value)
            else { return nil }
            levels[slot] = level
        }
        guard !levels.isEmpty else { return nil }
        self.levels = levels
    }

    /// The form that is parsed.
    package static let form = "fmc=1,bl=4,tee=0,snp=24,ucode=219 or some of them"

    package var description: String {
        TCBLayout.Slot.components.compactMap { slot in levels[slot].map { "\(slot.rawValue)=\($0)" } }.joined(separator: ",")
    }

    /// What of it `components`, a field called `field`, does not reach, in words; `nil` when all is reached. A component that the product
    /// does not have proves nothing: only level 0 is reached by it.
    func complaint(about components: TCBComponents, field: String) -> String? {
        let low = TCBLayout.Slot.components.compactMap { slot -> String? in
            guard let wanted = levels[slot] else { return nil }
            guard let level = components[slot] else {
                return wanted == 0 ? nil : "no \(slot.words) level, so \(wanted) is unproven"
            }
            return level >= wanted ? nil : "\(slot.words) \(level) below \(wanted)"
        }
        return low.isEmpty ? nil : "\(field) has " + low.joined(separator: ", ")
    }
}

/// A mask of bits as people write it.
package enum BitMask {
    /// `0x3`, or a decimal number.
    package static func parse(_ text: String) -> UInt64? {
        if text.hasPrefix("0x") || text.hasPrefix("0X") {
            let digits = text.dropFirst(2)
            guard digits.utf8.consists(of: .hexDigits, count: 1...16) else { return nil }
            return UInt64(digits, radix: 16)
        }
        guard text.utf8.consists(of: .digits, count: 1...20) else { return nil }
        return UInt64(text)
    }

    /// `0x3`.
    package static func text(_ mask: UInt64) -> String { "0x" + String(mask, radix: 16) }
}
