internal import COpenSSL

/// A number that all names have in common which OpenSSL calls equal, from their DER alone.
///
/// OpenSSL compares a canonical form, in which case, spaces and the kind of string do not count, and makes it out of a name that was parsed into objects. This looks
/// only at what the canonical form keeps of every kind of string: letters and digits of ASCII. Different names may have one digest.
enum NameDigest {
    /// Of the content of a `Name` (RFC 5280, section 4.1.2.4), a sequence of sets of attributes.
    static func of(_ name: DERReader, _ operation: String) throws(CryptoError) -> UInt64 {
        var name = name
        var sum: UInt64 = 0
        while !name.isAtEnd {
            var set = DERReader(try name.element(V_ASN1_SET, isConstructed: true), operation)
            while !set.isAtEnd {
                var attribute = DERReader(try set.element(V_ASN1_SEQUENCE, isConstructed: true), operation)
                var digest = Digest()
                for byte in try attribute.element(V_ASN1_OBJECT) { digest.add(byte) }
                let (tag, value) = try attribute.any()
                try attribute.requireEnd()
                digest.add(lettersOf: value, unit: unit(of: tag))
                // A sum: OpenSSL sorts the attributes of a set.
                sum &+= digest.value
            }
        }
        return sum
    }

    /// Bytes of one character, the most significant first. UTF-8 has none of ASCII in its longer characters, so it can be read byte by byte.
    private static func unit(of tag: Int32) -> Int {
        switch tag {
        case V_ASN1_BMPSTRING: 2
        case V_ASN1_UNIVERSALSTRING: 4
        default: 1
        }
    }

    /// FNV-1a. Who can choose the names in a file of authorities needs no collision.
    private struct Digest {
        private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

        mutating func add(_ byte: UInt8) {
            value = (value ^ UInt64(byte)) &* 0x100_0000_01B3
        }

        mutating func add(lettersOf text: UnsafeRawBufferPointer, unit: Int) {
            var index = 0
            while index + unit <= text.count {
                let isASCII = text[index..<index + unit - 1].allSatisfy { $0 == 0 }
                let character = text[index + unit - 1]
                index += unit
                guard isASCII else { continue }
                switch character {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): add(character)
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): add(character | 0x20)
                default: continue
                }
            }
        }
    }
}
