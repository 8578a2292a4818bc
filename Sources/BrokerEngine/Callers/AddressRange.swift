internal import Glibc

/// IP addresses with the same beginning: `10.1.2.3`, `10.0.0.0/8`, `fd00::/8` (RFC 4632, 3.1; RFC 4291, 2.3).
package struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    package let description: String
    private let bytes: [UInt8]
    private let bits: Int

    /// `nil` where the text is neither.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first, let bytes = Self.bytes(of: String(address)) else { return nil }
        var bits = bytes.count * 8
        if parts.count == 2 {
            guard let given = Int(parts[1]), (0...bits).contains(given), parts[1] == "\(given)" else { return nil }
            bits = given
        }
        description = text
        self.bytes = bytes
        self.bits = bits
    }

    package func contains(_ address: String) -> Bool {
        guard let other = Self.bytes(of: address), other.count == bytes.count else { return false }
        return (0..<bits).allSatisfy { bit in
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            return bytes[bit / 8] & mask == other[bit / 8] & mask
        }
    }

    /// The 4 or 16 bytes of an address; an IPv4 address in IPv6 form counts as IPv4.
    private static func bytes(of text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            guard inet_pton(family, text, &bytes) == 1 else { continue }
            let isMapped = count == 16 && bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            return isMapped ? Array(bytes.suffix(4)) : bytes
        }
        return nil
    }
}
