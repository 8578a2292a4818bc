internal import PlainText

/// Hexadecimal text.
package enum Hex {
    /// Lower case, two characters a byte.
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        // As an array the loop is compiled here, for bytes, and not for every collection.
        let bytes = Array(bytes)
        return String(unsafeUninitializedCapacity: bytes.count * 2) { output in
            for index in bytes.indices {
                output[2 * index] = character(bytes[index] >> 4)
                output[2 * index + 1] = character(bytes[index] & 0x0F)
            }
            return bytes.count * 2
        }
    }

    /// The bytes of hexadecimal text of either case; nil for an odd length or any other character.
    package static func decode(_ text: String) -> [UInt8]? {
        let characters = text.utf8
        guard characters.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count / 2)
        var high: UInt8?
        for character in characters {
            guard let nibble = character.hexDigitValue else { return nil }
            if let first = high {
                bytes.append(first << 4 | nibble)
                high = nil
            } else {
                high = nibble
            }
        }
        return bytes
    }

    private static func character(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }
}
