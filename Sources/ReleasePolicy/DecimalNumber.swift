internal import PlainText
internal import StrictJSON

/// A decimal number of any size, compared without rounding: 9007199254740993 is greater than 9007199254740992 and 0.1 is 0.10.
struct DecimalNumber: Sendable, Equatable, Comparable {
    /// Longest text that is read as a number.
    static let maximumCharacters = 400
    private static let maximumExponent = 4096

    private let isNegative: Bool
    /// Significant digits 0...9, most significant first, without zeros at either end; empty for zero.
    private let digits: [UInt8]
    /// The value is 0.d1d2d3… × 10^exponent.
    private let exponent: Int

    /// Reads a number in the grammar of JSON (RFC 8259, section 6), with leading zeros tolerated; `nil` for everything else.
    init?(_ text: String) {
        var rest = text.utf8[...]
        guard rest.count <= Self.maximumCharacters else { return nil }
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest = rest.dropFirst() }
        let whole = Self.takeDigits(&rest)
        guard !whole.isEmpty else { return nil }
        var fraction: [UInt8] = []
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fraction = Self.takeDigits(&rest)
            guard !fraction.isEmpty else { return nil }
        }
        var shift = 0
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            let isDown = rest.first == UInt8(ascii: "-")
            if isDown || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
            let power = Self.takeDigits(&rest)
            guard !power.isEmpty, power.count <= 6 else { return nil }
            shift = power.reduce(0) { $0 * 10 + Int($1) } * (isDown ? -1 : 1)
            guard abs(shift) <= Self.maximumExponent else { return nil }
        }
        guard rest.isEmpty else { return nil }
        var all = whole + fraction
        var exponent = whole.count + shift
        let leading = all.prefix { $0 == 0 }.count
        all.removeFirst(leading)
        exponent -= leading
        while all.last == 0 { all.removeLast() }
        digits = all
        self.exponent = all.isEmpty ? 0 : exponent
        self.isNegative = isNegative && !all.isEmpty
    }

    /// A JSON number, or a string that holds one.
    init?(_ value: JSONValue) {
        switch value {
        case .integer(let number): self.init(String(number))
        // The shortest text that reads back as the same number is what the document meant by it.
        case .real(let number) where number.isFinite: self.init(number.description)
        case .string(let text): self.init(text)
        default: return nil
        }
    }

    /// Plain decimal text: no exponent, no zeros at the end of a fraction, no negative zero.
    var text: String {
        guard !digits.isEmpty else { return "0" }
        let sign = isNegative ? "-" : ""
        let characters = digits.map { UInt8(ascii: "0") + $0 }
        if exponent <= 0 { return sign + "0." + String(repeating: "0", count: -exponent) + String(decoding: characters, as: UTF8.self) }
        if exponent >= characters.count {
            let zeros = String(repeating: "0", count: exponent - characters.count)
            return sign + String(decoding: characters, as: UTF8.self) + zeros
        }
        return sign + String(decoding: characters[..<exponent], as: UTF8.self) + "."
            + String(decoding: characters[exponent...], as: UTF8.self)
    }

    static func < (left: DecimalNumber, right: DecimalNumber) -> Bool {
        if left.isNegative != right.isNegative { return left.isNegative }
        return left.isNegative ? right.isSmallerInSize(than: left) : left.isSmallerInSize(than: right)
    }

    private func isSmallerInSize(than other: DecimalNumber) -> Bool {
        if digits.isEmpty || other.digits.isEmpty { return digits.isEmpty && !other.digits.isEmpty }
        if exponent != other.exponent { return exponent < other.exponent }
        return digits.lexicographicallyPrecedes(other.digits)
    }

    private static func takeDigits(_ rest: inout Substring.UTF8View) -> [UInt8] {
        let digits = rest.prefix(while: ASCIISet.digits.contains)
        rest = rest.dropFirst(digits.count)
        return digits.map { $0 - UInt8(ascii: "0") }
    }
}
