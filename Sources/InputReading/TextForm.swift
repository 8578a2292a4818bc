internal import PlainText
internal import StrictJSON

/// Text as editors, shells and services write it.
package enum TextForm {
    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    static let jsonLimits = JSONLimits(maximumBytes: 16 << 20, maximumDepth: 64, bigIntegers: .asReal)

    /// The text in UTF-8 without byte order mark; what is no text in another encoding is as it was.
    package static func plain(_ bytes: [UInt8]) -> [UInt8] { decoded(bytes)?.text ?? bytes }

    /// The text behind a byte order mark or in UTF-16, `nil` for anything else.
    static func decoded(_ bytes: [UInt8]) -> (layer: String, text: [UInt8])? {
        if bytes.starts(with: byteOrderMark) { return ("byte order mark", Array(bytes.dropFirst(3))) }
        guard bytes.count >= 4, bytes.count.isMultiple(of: 2), let isBigEndian = utf16Order(bytes) else { return nil }
        let hasMark = bytes[0] >= 0xFE && bytes[1] >= 0xFE
        let units = stride(from: hasMark ? 2 : 0, to: bytes.count, by: 2).map { index -> UInt16 in
            let unit = UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
            return isBigEndian ? unit : unit.byteSwapped
        }
        guard let text = String(validating: units, as: UTF16.self), !text.utf8.contains(0) else { return nil }
        return ("UTF-16", Array(text.utf8))
    }

    /// Whether it is UTF-16 and which: by its mark, or because the first characters are ASCII.
    private static func utf16Order(_ bytes: [UInt8]) -> Bool? {
        if bytes.starts(with: [0xFF, 0xFE]) { return false }
        if bytes.starts(with: [0xFE, 0xFF]) { return true }
        let start = bytes.prefix(64)
        func isASCII(_ offset: Int) -> Bool {
            stride(from: offset, to: start.count, by: 2).allSatisfy { (0x09...0x7E).contains(start[$0]) }
        }
        func isZero(_ offset: Int) -> Bool { stride(from: offset, to: start.count, by: 2).allSatisfy { start[$0] == 0 } }
        if isASCII(0), isZero(1) { return false }
        return isZero(0) && isASCII(1) ? true : nil
    }

    /// The content of a text that is one quoted word; escapes are those of JSON.
    static func unquoted(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count > 2, let mark = text.first, "\"'`".utf8.contains(mark), text.last == mark else { return nil }
        let inner = text.dropFirst().dropLast()
        guard mark == UInt8(ascii: "\""), inner.contains(UInt8(ascii: "\\")) else { return inner.contains(mark) ? nil : Array(inner) }
        let document = [UInt8(ascii: "[")] + text.filter { $0 != 0x0A && $0 != 0x0D } + [UInt8(ascii: "]")]
        guard case .array(let values)? = try? JSONValue.parse(document, limits: jsonLimits), case .string(let word)? = values.first else {
            return nil
        }
        return Array(word.utf8)
    }

    /// A text of one line with line ends where it has `\n` or `\r\n` in letters, as environment variables have it; `nil` where it has none.
    static func withLineEnds(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let backslash = UInt8(ascii: "\\")
        // In the middle of JSON they belong to its strings.
        guard text.contains(backslash), !text.contains(0x0A), !startsJSON(Array(text.prefix(64))), text.first != UInt8(ascii: "\"") else {
            return nil
        }
        var result: [UInt8] = []
        var rest = text
        var isFound = false
        while let byte = rest.popFirst() {
            guard byte == backslash, let letter = rest.first, letter == UInt8(ascii: "n") || letter == UInt8(ascii: "r") else {
                result.append(byte)
                continue
            }
            isFound = true
            rest = rest.dropFirst()
            if letter == UInt8(ascii: "n") { result.append(0x0A) }
        }
        return isFound ? result : nil
    }

    /// Whether the text, behind white space and comments, starts an object or a list.
    package static func startsJSON(_ bytes: [UInt8]) -> Bool {
        let start = TemplateText.withoutComments(plain(Array(bytes.prefix(64 * 1024)))).first { !ASCIISet.whiteSpace.contains($0) }
        return start == UInt8(ascii: "{") || start == UInt8(ascii: "[")
    }

    /// Whether it is UTF-8 without control characters but white space.
    static func isText(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || ASCIISet.whiteSpace.contains($0) || $0 == 0x0C }
            && String(validating: bytes, as: UTF8.self) != nil
    }
}

/// The text of ARM templates, which may have what JSON does not (Azure Resource Manager, "Understand the structure and syntax of ARM
/// templates": comments, and strings over several lines).
enum TemplateText {
    /// The text with spaces for comments, so that places stay what they were.
    static func withoutComments(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(UInt8(ascii: "/")) else { return bytes }
        var result = bytes
        var index = 0
        while index < bytes.count {
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            switch (bytes[index], next) {
            case (UInt8(ascii: "\""), _): index = endOfString(bytes, from: index)
            case (UInt8(ascii: "/"), UInt8(ascii: "/")):
                index = blank(&result, from: index, to: bytes[index...].firstIndex(of: 0x0A) ?? bytes.count)
            case (UInt8(ascii: "/"), UInt8(ascii: "*")): index = blank(&result, from: index, to: endOfComment(bytes, from: index + 2))
            default: index += 1
            }
        }
        return result
    }

    /// JSON: without comments, and with `\n` for line ends inside of strings.
    static func json(_ bytes: [UInt8]) -> [UInt8] {
        let text = withoutComments(bytes)
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "\"") else {
                result.append(text[index])
                index += 1
                continue
            }
            let end = endOfString(text, from: index)
            for byte in text[index..<end] {
                switch byte {
                case 0x0A: result += "\\n".utf8
                case 0x0D: result += "\\r".utf8
                case 0x09: result += "\\t".utf8
                default: result.append(byte)
                }
            }
            index = end
        }
        return result
    }

    private static func endOfString(_ bytes: [UInt8], from start: Int) -> Int {
        var index = start + 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
        return min(index + 1, bytes.count)
    }

    private static func endOfComment(_ bytes: [UInt8], from start: Int) -> Int {
        var index = start
        while index + 1 < bytes.count {
            if bytes[index] == UInt8(ascii: "*"), bytes[index + 1] == UInt8(ascii: "/") { return index + 2 }
            index += 1
        }
        return bytes.count
    }

    private static func blank(_ bytes: inout [UInt8], from start: Int, to end: Int) -> Int {
        for index in start..<end where bytes[index] != 0x0A { bytes[index] = 0x20 }
        return end
    }
}
