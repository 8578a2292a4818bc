/// A set of ASCII characters, as grammars name them.
package struct ASCIISet: Sendable, ExpressibleByStringLiteral {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    package static let digits = ASCIISet("0"..."9")
    package static let lowercase = ASCIISet("a"..."z")
    package static let alphanumeric = digits + lowercase + ASCIISet("A"..."Z")
    package static let hexDigits = lowercaseHexDigits + ASCIISet("A"..."F")
    package static let lowercaseHexDigits = digits + ASCIISet("a"..."f")
    /// Of DNS names and IPv4 addresses.
    package static let hostName = alphanumeric + "-."
    /// VCHAR of RFC 5234: what is printed and is no space.
    package static let visible = ASCIISet("!"..."~")
    package static let printable = visible + " "
    /// Space, tab and the two characters of line ends: white space of JSON, PEM and base64 texts.
    package static let whiteSpace: ASCIISet = " \t\r\n"
    /// `token68` of RFC 9110, 11.2: what a bearer token is made of.
    package static let token68 = alphanumeric + "-._~+/="

    private init(_ range: ClosedRange<Unicode.Scalar>) { for value in range.lowerBound.value...range.upperBound.value { insert(value) } }

    package init(stringLiteral text: String) { for scalar in text.unicodeScalars { insert(scalar.value) } }

    private mutating func insert(_ value: UInt32) {
        precondition(value < 128)
        if value < 64 { low |= 1 << UInt64(value) } else { high |= 1 << UInt64(value - 64) }
    }

    package func contains(_ byte: UInt8) -> Bool { byte < 64 ? low >> byte & 1 == 1 : byte < 128 && high >> (byte - 64) & 1 == 1 }

    package static func + (left: ASCIISet, right: ASCIISet) -> ASCIISet {
        var result = left
        result.low |= right.low
        result.high |= right.high
        return result
    }

    package static func - (left: ASCIISet, right: ASCIISet) -> ASCIISet {
        var result = left
        result.low &= ~right.low
        result.high &= ~right.high
        return result
    }
}

extension Collection<UInt8> {
    /// Whether all bytes, as many as that, are in the set.
    package func consists(of set: ASCIISet, count: ClosedRange<Int> = 0...Int.max) -> Bool {
        count.contains(self.count) && allSatisfy(set.contains)
    }
}

extension BidirectionalCollection<UInt8> {
    /// Without the characters of the set at both ends.
    package func trimmed(_ set: ASCIISet) -> SubSequence {
        var rest = self[...]
        while let first = rest.first, set.contains(first) { rest = rest.dropFirst() }
        while let last = rest.last, set.contains(last) { rest = rest.dropLast() }
        return rest
    }
}

extension UInt8 {
    /// The small form of a letter A to Z; other bytes as they are.
    package var asciiLowercased: UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self }

    /// The value of a hexadecimal digit of either case.
    package var hexDigitValue: UInt8? {
        guard ASCIISet.hexDigits.contains(self) else { return nil }
        return self <= UInt8(ascii: "9") ? self - UInt8(ascii: "0") : asciiLowercased - UInt8(ascii: "a") + 10
    }
}

extension String {
    /// Compares the bytes of two texts, letters A to Z as their small forms.
    package func equalsIgnoringASCIICase(_ other: String) -> Bool {
        utf8.count == other.utf8.count && zip(utf8, other.utf8).allSatisfy { $0.asciiLowercased == $1.asciiLowercased }
    }
}
