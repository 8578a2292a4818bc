internal import PlainText

/// What keeps a text that a person wrote from being JSON: the habits of other notations, by name and place.
package struct JSONObstacle {
    /// The end of a sentence; never quotes the text.
    let reason: String
    /// Offset in bytes.
    let position: Int

    /// The first obstacle of a text that was refused, `nil` where it has none that is known here.
    static func first(in bytes: [UInt8]) -> JSONObstacle? {
        if let encoding = encoding(bytes) { return JSONObstacle(reason: encoding, position: 0) }
        var finder = ObstacleFinder(bytes: bytes)
        return finder.find()
    }

    /// Whether the text, by its first line that counts, is YAML and no JSON.
    package static func isYAML(_ text: [UInt8]) -> Bool { ObstacleFinder(bytes: text).isYAML }

    private static func encoding(_ bytes: [UInt8]) -> String? {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return "the text starts with a byte order mark; save it as UTF-8 without one" }
        let zeros = bytes.prefix(4).filter { $0 == 0 }.count
        guard bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) || zeros == 2 else { return nil }
        return "the text is UTF-16 (Windows PowerShell's redirection writes it); save it as UTF-8"
    }
}

/// One pass over the text up to the first thing that JSON does not have.
private struct ObstacleFinder {
    let bytes: [UInt8]
    var position = 0
    /// Whether a bracket was seen: before it stands what makes a document YAML, HTML or prose.
    var isOpen = false

    mutating func find() -> JSONObstacle? {
        while let byte = current {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): position += 1
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                isOpen = true
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ":"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
                UInt8(ascii: "+"):
                guard isOpen else { return nil }
                position += 1
            case UInt8(ascii: ","): if let found = comma() { return found }
            case UInt8(ascii: "\""): if let found = string() { return found }
            case UInt8(ascii: "-"):
                guard isOpen else { return yaml }
                position += 1
            case UInt8(ascii: "/") where [UInt8(ascii: "/"), UInt8(ascii: "*")].contains(next): return obstacle("a comment; JSON has none")
            case UInt8(ascii: "#"): return isOpen || !isYAML ? obstacle("a comment; JSON has none") : yaml
            case UInt8(ascii: "'"): return obstacle("single quotes; JSON has double ones (\")")
            case UInt8(ascii: "<"): return isOpen ? nil : obstacle("this looks like HTML or XML, not JSON")
            case 0xE2 where bytes[position...].count > 2 && next == 0x80 && (0x98...0x9F).contains(bytes[position + 2]):
                return obstacle("typographic quotation marks; JSON has plain ones (\")")
            default:
                guard Self.wordCharacters.contains(byte) else { return nil }
                let start = position
                if let found = word(from: start) { return found }
            }
        }
        return nil
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }
    private var next: UInt8 { position + 1 < bytes.count ? bytes[position + 1] : 0 }
    private var yaml: JSONObstacle? { isYAML ? JSONObstacle(reason: "this looks like YAML, not JSON", position: position) : nil }

    private func obstacle(_ reason: String) -> JSONObstacle { JSONObstacle(reason: reason, position: position) }

    /// Stops at a comma that nothing but a closing bracket follows, and at a second comma.
    private mutating func comma() -> JSONObstacle? {
        let start = position
        position += 1
        while let byte = current, ASCIISet.whiteSpace.contains(byte) { position += 1 }
        guard isOpen, let byte = current, byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") else { return nil }
        let line = bytes[..<position].reduce(1) { $1 == 0x0A ? $0 + 1 : $0 }
        return JSONObstacle(
            reason: "a trailing comma, before the '\(Character(Unicode.Scalar(byte)))' of line \(line); JSON has none", position: start)
    }

    private mutating func string() -> JSONObstacle? {
        let start = position
        position += 1
        while let byte = current, byte != UInt8(ascii: "\"") {
            if byte == 0x0A {
                return JSONObstacle(reason: "a string that does not end on its line; write line ends as \\n", position: start)
            }
            position += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        position += 1
        return nil
    }

    private mutating func word(from start: Int) -> JSONObstacle? {
        while let byte = current, Self.wordCharacters.contains(byte) || byte == UInt8(ascii: "-") { position += 1 }
        let word = String(decoding: bytes[start..<min(position, start + 16)], as: UTF8.self)
        func found(_ reason: String) -> JSONObstacle { JSONObstacle(reason: reason, position: start) }
        guard isOpen else {
            position = bytes.count
            return isYAML ? found("this looks like YAML, not JSON") : nil
        }
        switch word {
        case "true", "false", "null", "e", "E": return nil
        case "True", "False", "None": return found("\(word) as Python writes it; JSON has true, false and null")
        case "TRUE", "FALSE", "NULL", "Null": return found("\(word) in capitals; JSON has true, false and null")
        case "NaN", "Infinity", "undefined": return found("\(word), which JSON does not have")
        default:
            while let byte = current, byte == 0x20 { position += 1 }
            if current == UInt8(ascii: ":") { return found("a member name without quotation marks") }
            position = bytes.count
            return nil
        }
    }

    /// Whether the first line that is neither empty nor a comment starts a document, a list or a mapping of YAML.
    var isYAML: Bool {
        for line in bytes.split(separator: 0x0A, maxSplits: 200).prefix(200) {
            let text = line.drop { [0x20, 0x09].contains($0) }
            guard let first = text.first, first != UInt8(ascii: "#"), first != 0x0D else { continue }
            if text.starts(with: Array("---".utf8)) || text.starts(with: Array("- ".utf8)) { return true }
            let name = text.prefix(while: (Self.wordCharacters + "-./\"").contains)
            let rest = text.dropFirst(name.count)
            return !name.isEmpty && rest.first == UInt8(ascii: ":") && [nil, 0x20, 0x0D].contains(rest.dropFirst().first)
        }
        return false
    }

    private static let wordCharacters = ASCIISet.alphanumeric + "_$"
}

extension JSONValue {
    /// `parse` for a document that a person wrote: the error names what is in the way (a comment, a trailing comma, UTF-16, single quotes,
    /// YAML) with line and column.
    package static func parse(written bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        do { return try parse(bytes, limits: limits) } catch {
            guard error.kind == .syntax || error.kind == .trailingData else { throw error.withColumn(in: bytes) }
            guard let obstacle = JSONObstacle.first(in: bytes) else { throw error.withColumn(in: bytes) }
            throw JSONError(.syntax, obstacle.reason, line: error.line, position: obstacle.position).withColumn(in: bytes)
        }
    }
}

extension JSONCursor {
    /// Parses a document that a person wrote; see `JSONValue.parse(written:)`.
    package static func parse(written bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONCursor {
        JSONCursor(try JSONValue.parse(written: bytes, limits: limits))
    }
}
