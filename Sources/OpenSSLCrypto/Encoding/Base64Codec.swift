/// Base64 between two pieces of memory, without branches or table look-ups that depend on the data.
enum Base64Codec {
    enum Alphabet { case standard, url }
    enum Padding { case required, optional }

    private static let paddingCharacter = UInt8(ascii: "=")

    static func encodedCount(of byteCount: Int, padded: Bool) -> Int {
        let whole = byteCount / 3 * 4
        return switch byteCount % 3 {
        case 0: whole
        case 1: whole + (padded ? 4 : 2)
        default: whole + (padded ? 4 : 3)
        }
    }

    /// Writes the text of `bytes` to the start of `output` and returns its length.
    static func encode(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ alphabet: Alphabet, padded: Bool)
        -> Int
    {
        let count = encodedCount(of: bytes.count, padded: padded)
        precondition(output.count >= count, "Base64 text does not fit")
        var written = 0
        var index = 0
        while index + 3 <= bytes.count {
            let (first, second, third) = (Int32(bytes[index]), Int32(bytes[index + 1]), Int32(bytes[index + 2]))
            output[written] = character(first >> 2, alphabet)
            output[written + 1] = character((first & 0x3) << 4 | second >> 4, alphabet)
            output[written + 2] = character((second & 0xF) << 2 | third >> 6, alphabet)
            output[written + 3] = character(third & 0x3F, alphabet)
            index += 3
            written += 4
        }
        if index < bytes.count {
            let first = Int32(bytes[index])
            let second = index + 1 < bytes.count ? Int32(bytes[index + 1]) : 0
            output[written] = character(first >> 2, alphabet)
            output[written + 1] = character((first & 0x3) << 4 | second >> 4, alphabet)
            written += 2
            if index + 1 < bytes.count {
                output[written] = character((second & 0xF) << 2, alphabet)
                written += 1
            }
        }
        while written < count {
            output[written] = paddingCharacter
            written += 1
        }
        return count
    }

    /// Writes the bytes of `text` to the start of `output` and returns their number; nil for text that is not canonical. `output` holds at
    /// least three bytes
    /// for each four characters begun.
    static func decode(_ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ alphabet: Alphabet, _ padding: Padding)
        -> Int?
    {
        var count = text.count
        while count > 0, text.count - count < 2, text[count - 1] == paddingCharacter { count -= 1 }
        let padded = text.count - count
        if padded > 0 || padding == .required { guard text.count.isMultiple(of: 4) else { return nil } }
        guard count % 4 != 1 else { return nil }

        var written = 0
        var index = 0
        var faults: Int32 = 0
        var wrongLanes: UInt64 = 0
        while index + 8 <= count {
            let (values, wrong) = sextets(UInt64(littleEndian: text.loadUnaligned(fromByteOffset: index, as: UInt64.self)), alphabet)
            wrongLanes |= wrong
            output.storeBytes(of: UInt32(truncatingIfNeeded: values >> 16).bigEndian, toByteOffset: written, as: UInt32.self)
            output.storeBytes(of: UInt16(truncatingIfNeeded: values).bigEndian, toByteOffset: written + 4, as: UInt16.self)
            index += 8
            written += 6
        }
        while index + 4 <= count {
            let first = sextet(Int32(text[index]), alphabet)
            let second = sextet(Int32(text[index + 1]), alphabet)
            let third = sextet(Int32(text[index + 2]), alphabet)
            let fourth = sextet(Int32(text[index + 3]), alphabet)
            faults |= first | second | third | fourth
            output[written] = UInt8(truncatingIfNeeded: first << 2 | second >> 4)
            output[written + 1] = UInt8(truncatingIfNeeded: second << 4 | third >> 2)
            output[written + 2] = UInt8(truncatingIfNeeded: third << 6 | fourth)
            index += 4
            written += 3
        }
        if index < count {
            // Two or three characters; the bits that no byte takes must be zero.
            let first = sextet(Int32(text[index]), alphabet)
            let second = sextet(Int32(text[index + 1]), alphabet)
            let third = index + 2 < count ? sextet(Int32(text[index + 2]), alphabet) : 0
            faults |= first | second | third
            output[written] = UInt8(truncatingIfNeeded: first << 2 | second >> 4)
            written += 1
            if index + 2 < count {
                output[written] = UInt8(truncatingIfNeeded: second << 4 | third >> 2)
                written += 1
                guard third & 0x3 == 0 else { return nil }
            } else {
                guard second & 0xF == 0 else { return nil }
            }
        }
        // A character outside of the alphabet gave -1, which is the only source of a set sign bit, or bits of its lane.
        return faults < 0 || wrongLanes != 0 ? nil : written
    }

    /// The character of a value in 0...63: differences between ranges of the alphabet, added where the value is past the range.
    @inline(__always) private static func character(_ value: Int32, _ alphabet: Alphabet) -> UInt8 {
        var result: Int32 = value + 0x41
        result += ((25 - value) >> 8) & 6
        result -= ((51 - value) >> 8) & 75
        switch alphabet {
        case .standard:
            result -= ((61 - value) >> 8) & 15
            result += ((62 - value) >> 8) & 3
        case .url:
            result -= ((61 - value) >> 8) & 13
            result += ((62 - value) >> 8) & 49
        }
        return UInt8(truncatingIfNeeded: result)
    }

    /// The 48 bits that eight characters stand for, the first character in the lowest byte of `text`, and bits in the lanes of those
    /// that are not of the alphabet.
    @inline(__always) private static func sextets(_ text: UInt64, _ alphabet: Alphabet) -> (values: UInt64, wrong: UInt64) {
        let lanes: UInt64 = 0x0101_0101_0101_0101
        let high = lanes &* 0x80
        // Seven bits in each lane, so that no lane reaches into the next.
        let characters = text & ~high
        // All ones in the lanes of a range, otherwise zero.
        func range(_ low: UInt64, _ last: UInt64) -> UInt64 {
            let isIn = ((characters | high) &- lanes &* low) & ~((characters | high) &- lanes &* (last + 1)) & high
            return (isIn << 1) &- (isIn >> 7)
        }
        let (capital, small, digit) = (range(0x41, 0x5A), range(0x61, 0x7A), range(0x30, 0x39))
        let (next, last) =
            switch alphabet {
            case .standard: (range(0x2B, 0x2B), range(0x2F, 0x2F))
            case .url: (range(0x2D, 0x2D), range(0x5F, 0x5F))
            }
        var values = (characters & capital) &- (lanes &* 0x41 & capital)
        values |= (characters & small) &- (lanes &* 71 & small)
        values |= (characters & digit) &+ (lanes &* 4 & digit)
        values |= lanes &* 62 & next | lanes &* 63 & last
        let known = capital | small | digit | next | last
        // Two sextets become twelve bits, two of these 24, and the first half comes first.
        values = (values & 0x003F_003F_003F_003F) << 6 | (values >> 8) & 0x003F_003F_003F_003F
        values = (values & 0x0000_0FFF_0000_0FFF) << 12 | (values >> 16) & 0x0000_0FFF_0000_0FFF
        return ((values & 0xFF_FFFF) << 24 | values >> 32, ~known | text & high)
    }

    /// The value of a character, -1 for one outside of the alphabet.
    @inline(__always) private static func sextet(_ character: Int32, _ alphabet: Alphabet) -> Int32 {
        // All ones where low < character < high, otherwise zero.
        func isBetween(_ low: Int32, _ high: Int32) -> Int32 { ((low - character) & (character - high)) >> 8 }
        var result: Int32 = -1
        result += isBetween(0x40, 0x5B) & (character - 64)
        result += isBetween(0x60, 0x7B) & (character - 70)
        result += isBetween(0x2F, 0x3A) & (character + 5)
        switch alphabet {
        case .standard:
            result += isBetween(0x2A, 0x2C) & 63
            result += isBetween(0x2E, 0x30) & 64
        case .url:
            result += isBetween(0x2C, 0x2E) & 63
            result += isBetween(0x5E, 0x60) & 64
        }
        return result
    }
}
