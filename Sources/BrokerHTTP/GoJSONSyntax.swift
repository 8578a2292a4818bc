/// Says what the original's JSON decoder says about a text that is not JSON.
///
/// Callers of the original match its words (Go's `encoding/json`, which stops at the first byte that cannot continue a value). This reads a text
/// only to find those words; whether a body is accepted is `StrictJSON`'s business.
struct GoJSONSyntax {
    enum Verdict: Equatable {
        /// Nothing but white space.
        case empty
        case invalid(String)
        /// A lone value that is neither object nor array; `nil` for `null`.
        case scalar(Refusal.JSONKind?)
        case valid
    }

    static func verdict(on bytes: UnsafeBufferPointer<UInt8>) -> Verdict {
        var reader = GoJSONSyntax(bytes: bytes)
        reader.skipSpace()
        guard let first = reader.current else { return .empty }
        do {
            try reader.readValue()
        } catch {
            return .invalid(error.text)
        }
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["): return .valid
        case UInt8(ascii: "\""): return .scalar(.string)
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .scalar(.bool)
        case UInt8(ascii: "n"): return .scalar(nil)
        default: return .scalar(.number)
        }
    }

    private struct Complaint: Error {
        let text: String
    }

    private enum Container { case object, array }

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var open: [Container] = []

    private init(bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private func complaint(_ context: String) -> Complaint {
        guard let byte = current else { return Complaint(text: "unexpected EOF") }
        return Complaint(text: "invalid character \(Self.quoted(byte)) \(context)")
    }

    /// Reads one value with everything in it, without recursion.
    private mutating func readValue() throws(Complaint) {
        repeat {
            try readStartOfValue()
            try closeContainers()
        } while !open.isEmpty
    }

    /// Reads up to and including the next scalar or empty container, opening containers on the way.
    private mutating func readStartOfValue() throws(Complaint) {
        while true {
            skipSpace()
            switch current {
            case UInt8(ascii: "{"):
                position += 1
                skipSpace()
                if current == UInt8(ascii: "}") {
                    position += 1
                    return
                }
                open.append(.object)
                try readKey()
            case UInt8(ascii: "["):
                position += 1
                skipSpace()
                if current == UInt8(ascii: "]") {
                    position += 1
                    return
                }
                open.append(.array)
            case UInt8(ascii: "\""): return try readString()
            case UInt8(ascii: "t"): return try readLiteral("true")
            case UInt8(ascii: "f"): return try readLiteral("false")
            case UInt8(ascii: "n"): return try readLiteral("null")
            case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return try readNumber()
            default: throw complaint("looking for beginning of value")
            }
        }
    }

    /// After a value: reads closing brackets up to a comma (with the key behind it) or the end of the document.
    private mutating func closeContainers() throws(Complaint) {
        while let container = open.last {
            skipSpace()
            switch (container, current) {
            case (.object, UInt8(ascii: "}")), (.array, UInt8(ascii: "]")):
                position += 1
                open.removeLast()
            case (.object, UInt8(ascii: ",")):
                position += 1
                skipSpace()
                return try readKey()
            case (.array, UInt8(ascii: ",")):
                position += 1
                return
            case (.object, _): throw complaint("after object key:value pair")
            case (.array, _): throw complaint("after array element")
            }
        }
    }

    private mutating func readKey() throws(Complaint) {
        guard current == UInt8(ascii: "\"") else { throw complaint("looking for beginning of object key string") }
        try readString()
        skipSpace()
        guard current == UInt8(ascii: ":") else { throw complaint("after object key") }
        position += 1
    }

    private mutating func readString() throws(Complaint) {
        position += 1
        while let byte = current, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw complaint("in string literal") }
            position += 1
            if byte == UInt8(ascii: "\\") { try readEscape() }
        }
        guard current != nil else { throw complaint("") }
        position += 1
    }

    private mutating func readEscape() throws(Complaint) {
        guard let byte = current, "bfnrt\\/\"u".utf8.contains(byte) else { throw complaint("in string escape code") }
        position += 1
        guard byte == UInt8(ascii: "u") else { return }
        for _ in 0..<4 {
            guard let digit = current, "0123456789abcdefABCDEF".utf8.contains(digit) else {
                throw complaint("in \\u hexadecimal character escape")
            }
            position += 1
        }
    }

    private mutating func readLiteral(_ literal: StaticString) throws(Complaint) {
        let text = literal.description
        for expected in text.utf8 {
            guard current == expected else {
                throw complaint("in literal \(text) (expecting \(Self.quoted(expected)))")
            }
            position += 1
        }
    }

    private mutating func readNumber() throws(Complaint) {
        if current == UInt8(ascii: "-") { position += 1 }
        if current == UInt8(ascii: "0") {
            position += 1
        } else {
            try readDigits("in numeric literal")
        }
        if current == UInt8(ascii: ".") {
            position += 1
            try readDigits("after decimal point in numeric literal")
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try readDigits("in exponent of numeric literal")
        }
    }

    private mutating func readDigits(_ context: String) throws(Complaint) {
        let start = position
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        if position == start { throw complaint(context) }
    }

    /// A byte as Go prints it: in single quotes, as the character of that number, control characters escaped.
    static func quoted(_ byte: UInt8) -> String {
        let hex = "0123456789abcdef".utf8.map { Character(Unicode.Scalar($0)) }
        return switch byte {
        case UInt8(ascii: "'"): #"'\''"#
        case UInt8(ascii: "\\"): #"'\\'"#
        case 0x07: #"'\a'"#
        case 0x08: #"'\b'"#
        case 0x09: #"'\t'"#
        case 0x0A: #"'\n'"#
        case 0x0B: #"'\v'"#
        case 0x0C: #"'\f'"#
        case 0x0D: #"'\r'"#
        case 0..<0x20, 0x7F: "'\\x\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])'"
        case 0x80...0xA0, 0xAD: "'\\u00\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])'"
        default: "'\(Character(Unicode.Scalar(byte)))'"
        }
    }
}
