internal import PlainText
internal import StrictJSON

/// Where the values of a JSON text are: from JSON pointers to lines and columns.
struct TextPlaces {
    struct Place: Equatable {
        /// Counted from 1.
        let line: Int
        /// Counted from 1, in characters.
        let column: Int
    }

    private static let columnLimit = 4096

    private let bytes: [UInt8]
    private var offsets: [String: Int] = [:]
    /// Where each line starts.
    private let lineStarts: [Int]

    /// The text must have been parsed before: this reads it without judging it. A text that is no JSON gives no places, or wrong ones.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        lineStarts = [0] + bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
        var scanner = PlaceScanner(bytes)
        scanner.value("", depth: 0)
        offsets = scanner.offsets
    }

    /// The place of a member (its name) or element; of what is nearest around it when the pointer leads to nothing.
    func place(of pointer: String) -> Place? {
        var pointer = pointer[...]
        while true {
            if let offset = offsets[String(pointer)] { return place(at: offset) }
            guard let slash = pointer.lastIndex(of: "/") else { return nil }
            pointer = pointer[..<slash]
        }
    }

    func place(at offset: Int) -> Place {
        let offset = min(max(offset, 0), bytes.count)
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        // Bytes 10xxxxxx continue a character. A line of a minified document is long, and its columns are of little use beyond this.
        let start = max(lineStarts[low], offset - Self.columnLimit)
        let column = bytes[start..<offset].reduce(start - lineStarts[low] + 1) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
        return Place(line: low + 1, column: column)
    }
}

/// One pass over JSON text that notes where each value starts.
private struct PlaceScanner {
    let bytes: [UInt8]
    var position = 0
    var offsets: [String: Int] = [:]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private static let depthLimit = 64

    mutating func value(_ pointer: String, depth: Int) {
        skipSpace()
        guard position < bytes.count, depth <= Self.depthLimit else { return }
        if offsets[pointer] == nil { offsets[pointer] = position }
        switch bytes[position] {
        case UInt8(ascii: "{"): members(pointer, depth)
        case UInt8(ascii: "["): elements(pointer, depth)
        case UInt8(ascii: "\""): _ = string()
        default: while position < bytes.count, !Self.endsScalar(bytes[position]) { position += 1 }
        }
    }

    private mutating func members(_ pointer: String, _ depth: Int) {
        position += 1
        while true {
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { break }
            let start = position
            let member = "\(pointer)/\(Self.escaped(string()))"
            if offsets[member] == nil { offsets[member] = start }
            skipSpace()
            guard take(":") else { return }
            value(member, depth: depth + 1)
            skipSpace()
            guard take(",") else { break }
        }
        _ = take("}")
    }

    private mutating func elements(_ pointer: String, _ depth: Int) {
        position += 1
        var index = 0
        while position < bytes.count {
            skipSpace()
            guard position < bytes.count, bytes[position] != UInt8(ascii: "]") else { break }
            value("\(pointer)/\(index)", depth: depth + 1)
            index += 1
            skipSpace()
            guard take(",") else { break }
        }
        _ = take("]")
    }

    private mutating func string() -> String {
        let start = position
        position += 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") { position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1 }
        position = min(position + 1, bytes.count)
        let literal = Array(bytes[start..<position])
        let document = [UInt8(ascii: "[")] + literal + [UInt8(ascii: "]")]
        guard case .array(let parsed)? = try? JSONValue.parse(document), case .string(let text)? = parsed.first else { return "" }
        return text
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count, ASCIISet.whiteSpace.contains(bytes[position]) { position += 1 }
    }

    private static func endsScalar(_ byte: UInt8) -> Bool {
        (ASCIISet.whiteSpace + ",}]").contains(byte)
    }

    private static func escaped(_ token: String) -> String { token.replacing("~", with: "~0").replacing("/", with: "~1") }
}
