internal import StrictJSON

/// JSON read by a second parser, straight from RFC 8259, with the restrictions of `JSONValue.parse`.
struct PlainJSON {
    private var rest: ArraySlice<UInt8>
    private let bigIntegers: Bool
    private var depth = 0
    /// Deepest nesting, and how many brackets and commas there are.
    private(set) var deepest = 0
    private(set) var marks = 0

    /// The value, or nil where the text is refused.
    static func parse(_ bytes: [UInt8], bigIntegers: Bool = false) -> (value: JSONValue, deepest: Int, marks: Int)? {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var parser = PlainJSON(rest: bytes[...], bigIntegers: bigIntegers)
        parser.skip()
        guard parser.rest.first == 0x7B || parser.rest.first == 0x5B, let value = parser.value() else { return nil }
        parser.skip()
        return parser.rest.isEmpty ? (value, parser.deepest, parser.marks) : nil
    }

    private init(rest: ArraySlice<UInt8>, bigIntegers: Bool) {
        self.rest = rest
        self.bigIntegers = bigIntegers
    }

    private mutating func skip() { rest = rest.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) } }

    private mutating func take(_ byte: UInt8) -> Bool {
        skip()
        guard rest.first == byte else { return false }
        rest = rest.dropFirst()
        return true
    }

    private mutating func take(word: String) -> Bool {
        guard rest.starts(with: word.utf8) else { return false }
        rest = rest.dropFirst(word.utf8.count)
        return true
    }

    private mutating func value() -> JSONValue? {
        skip()
        switch rest.first {
        case 0x7B, 0x5B: return nested()
        case 0x22: return string().map { .string($0) }
        case 0x74: return take(word: "true") ? true : nil
        case 0x66: return take(word: "false") ? false : nil
        case 0x6E: return take(word: "null") ? .null : nil
        default: return number()
        }
    }

    private mutating func nested() -> JSONValue? {
        let isObject = rest.popFirst() == 0x7B
        depth += 1
        marks += 1
        deepest = max(deepest, depth)
        guard depth <= 32 else { return nil }
        defer { depth -= 1 }
        var members: [(String, JSONValue)] = []
        var names: Set<[UInt8]> = []
        let end: UInt8 = isObject ? 0x7D : 0x5D
        if take(end) { return isObject ? .object(JSONObject()) : .array([]) }
        while true {
            var name = ""
            if isObject {
                skip()
                guard rest.first == 0x22, let text = string(), names.insert(Array(text.utf8)).inserted, take(0x3A) else { return nil }
                name = text
            }
            guard let value = value() else { return nil }
            members.append((name, value))
            if take(end) { return isObject ? .object(JSONObject(members)) : .array(members.map(\.1)) }
            guard take(0x2C) else { return nil }
            marks += 1
        }
    }

    private mutating func string() -> String? {
        rest = rest.dropFirst()
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == 0x22 { return String(decoding: bytes, as: UTF8.self) }
            guard byte >= 0x20 else { return nil }
            guard byte == 0x5C else {
                bytes.append(byte)
                continue
            }
            let plain: [UInt8: UInt8] = [0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 8, 0x66: 12, 0x6E: 10, 0x72: 13, 0x74: 9]
            guard let letter = rest.popFirst() else { return nil }
            if let byte = plain[letter] {
                bytes.append(byte)
            } else {
                guard letter == 0x75, let scalar = escaped() else { return nil }
                bytes += String(Character(scalar)).utf8
            }
        }
        return nil
    }

    private mutating func escaped() -> Unicode.Scalar? {
        guard let first = unit(), first != 0 else { return nil }
        guard (0xD800...0xDBFF).contains(first) else { return Unicode.Scalar(first) }
        guard take(word: "\\u"), let second = unit(), (0xDC00...0xDFFF).contains(second) else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private mutating func unit() -> UInt32? {
        let digits = rest.prefix(4)
        rest = rest.dropFirst(4)
        guard digits.count == 4, digits.allSatisfy({ UInt32(String(UnicodeScalar($0)), radix: 16) != nil }) else { return nil }
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    private mutating func number() -> JSONValue? {
        let text = Array(rest.prefix { (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains($0) })
        rest = rest.dropFirst(text.count)
        guard let match = text.text.wholeMatch(of: /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][+\-]?[0-9]+)?/) else { return nil }
        let isInteger = match.2 == nil && match.3 == nil
        if isInteger, let number = Int64(match.1) { return .integer(number) }
        guard !isInteger || bigIntegers, let number = Double(text.text), number.isFinite else { return nil }
        return .real(number)
    }
}
