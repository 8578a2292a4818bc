/// Writes JSON whose bytes are fully determined by the calls: for text that is hashed or signed, and for answers.
///
/// Nothing is checked beyond the separators: the caller balances `begin` and `end` and writes a key before each member's value.
package struct JSONWriter: Sendable {
    /// What was written so far.
    package private(set) var bytes: [UInt8] = []
    private let isPretty: Bool
    // One entry per open object or array: whether it has an element yet.
    private var hasElements: [Bool] = []
    private var isAfterKey = false

    /// Compact, or with one member per line and an indentation of two spaces.
    package init(pretty: Bool = false) { isPretty = pretty }

    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    /// The name of the member whose value comes next.
    package mutating func key(_ name: String) {
        separate()
        Self.escape(name, into: &bytes)
        bytes.append(UInt8(ascii: ":"))
        if isPretty { bytes.append(UInt8(ascii: " ")) }
        isAfterKey = true
    }

    package mutating func string(_ value: String) {
        separate()
        Self.escape(value, into: &bytes)
    }

    package mutating func integer(_ value: Int64) { literal(String(value)) }
    package mutating func boolean(_ value: Bool) { literal(value ? "true" : "false") }
    package mutating func null() { literal("null") }

    /// The shortest decimal form that reads back as the same number. JSON has no infinities: anything not finite is written as `null`.
    package mutating func real(_ value: Double) { literal(value.isFinite ? value.description : "null") }

    /// A whole value; with `sortedKeys`, members in the order of their names' bytes.
    package mutating func value(_ value: JSONValue, sortedKeys: Bool = false) {
        switch value {
        case .object(let object):
            beginObject()
            let members = Array(object)
            let ordered = sortedKeys ? members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) } : members
            for member in ordered {
                key(member.key)
                self.value(member.value, sortedKeys: sortedKeys)
            }
            endObject()
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element, sortedKeys: sortedKeys) }
            endArray()
        case .string(let text): string(text)
        case .integer(let number): integer(number)
        case .real(let number): real(number)
        case .boolean(let flag): boolean(flag)
        case .null: null()
        }
    }

    /// Appends `text` as a JSON string with its quotes. Escaped are `"`, `\` and the control characters below U+0020, with the short forms
    /// where JSON has them; everything else is UTF-8.
    package static func escape(_ text: String, into bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { characters in
            bytes.append(UInt8(ascii: "\""))
            var copied = 0
            for (index, byte) in characters.enumerated() where mustBeEscaped(byte) {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: characters[copied..<index]))
                appendEscape(of: byte, to: &bytes)
                copied = index + 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: characters[copied...]))
            bytes.append(UInt8(ascii: "\""))
        }
    }

    private static func mustBeEscaped(_ byte: UInt8) -> Bool { byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") }

    private static func appendEscape(of byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0..<0x20:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(UInt8(ascii: "0") + byte >> 4)
            let low = byte & 0x0F
            bytes.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
        default: bytes.append(byte)
        }
    }

    private mutating func literal(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        hasElements.append(false)
    }

    private mutating func end(_ bracket: UInt8) {
        if hasElements.popLast() == true { newLine() }
        bytes.append(bracket)
    }

    private mutating func separate() {
        if isAfterKey {
            isAfterKey = false
            return
        }
        guard let hadElements = hasElements.popLast() else { return }
        hasElements.append(true)
        if hadElements { bytes.append(UInt8(ascii: ",")) }
        newLine()
    }

    private mutating func newLine() {
        guard isPretty else { return }
        bytes.append(UInt8(ascii: "\n"))
        for _ in hasElements { bytes.append(contentsOf: "  ".utf8) }
    }
}

extension JSONValue {
    /// The value as UTF-8 text, compact unless `pretty`, without a newline at the end. Members keep their order unless `sortedKeys`.
    package func serialized(sortedKeys: Bool = false, pretty: Bool = false) -> [UInt8] {
        var writer = JSONWriter(pretty: pretty)
        writer.value(self, sortedKeys: sortedKeys)
        return writer.bytes
    }
}
