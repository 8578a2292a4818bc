package import SecureMemory
package import StrictJSON

/// JSON whose texts are secrets: its structure is read by the strict parser, the texts themselves stay in memory that is wiped.
///
/// Each text is replaced by its number before the parser sees the document, and found again by that number. Names of members stay.
package struct SecretDocument: ~Copyable {
    private let bytes: SecretBytes
    private let texts: [Range<Int>]
    /// The document with a number for each text.
    package let root: JSONCursor

    package init(_ bytes: consuming SecretBytes, limits: JSONLimits) throws(JSONError) {
        guard bytes.count <= limits.maximumBytes else {
            throw JSONError(.tooLarge, "the document is longer than \(limits.maximumBytes) bytes")
        }
        let (outline, texts) = bytes.withUnsafeBytes { Self.outline(of: $0) }
        root = try JSONCursor.parse(outline, limits: limits)
        self.texts = texts
        self.bytes = bytes
    }

    /// The text of a value. Escapes are undone where they stand for an ASCII character, which is all that base64 can hold.
    package borrowing func text(_ cursor: JSONCursor) throws(JSONError) -> SecretBytes {
        // Whatever is a string here was put there by `outline`.
        guard let number = Int(try cursor.string()), texts.indices.contains(number) else { throw cursor.invalid("expected a string") }
        let range = texts[number]
        var isPlain = true
        let text = bytes.withUnsafeBytes { bytes in
            let raw = UnsafeRawBufferPointer(rebasing: bytes[range])
            return SecretBytes(capacity: raw.count) { output in
                let count = Self.unescape(raw, into: output)
                isPlain = count != nil
                return count ?? 0
            }
        }
        guard isPlain else { throw cursor.invalid("an escape that base64 has no use for") }
        return text
    }

    private static func outline(of document: UnsafeRawBufferPointer) -> ([UInt8], [Range<Int>]) {
        var outline: [UInt8] = []
        var texts: [Range<Int>] = []
        var index = 0
        while index < document.count {
            guard document[index] == quote else {
                outline.append(document[index])
                index += 1
                continue
            }
            let start = index + 1
            var end = start
            while end < document.count, document[end] != quote { end += document[end] == backslash ? 2 : 1 }
            // The parser says what is wrong with a text that does not end.
            guard end < document.count else {
                outline.append(quote)
                break
            }
            var next = end + 1
            while next < document.count, [0x20, 0x09, 0x0A, 0x0D].contains(document[next]) { next += 1 }
            if next < document.count, document[next] == UInt8(ascii: ":") {
                outline.append(contentsOf: document[index...end])
            } else {
                outline.append(contentsOf: "\"\(texts.count)\"".utf8)
                texts.append(start..<end)
            }
            index = end + 1
        }
        return (outline, texts)
    }

    private static func unescape(_ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
        var (index, count) = (0, 0)
        while index < text.count {
            var byte = text[index]
            index += 1
            if byte == backslash {
                guard index < text.count else { return nil }
                byte = text[index]
                index += 1
                if byte == UInt8(ascii: "u") {
                    guard index + 4 <= text.count, let value = hexadecimal(text[index..<(index + 4)]), value < 0x80 else { return nil }
                    byte = UInt8(value)
                    index += 4
                } else if ![quote, backslash, UInt8(ascii: "/")].contains(byte) {
                    return nil
                }
            }
            output[count] = byte
            count += 1
        }
        return count
    }

    private static func hexadecimal(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt16? {
        var value: UInt16 = 0
        for digit in digits {
            let letter = digit | 0x20
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt16(digit - UInt8(ascii: "0"))
            case _ where (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(letter):
                value = value << 4 | UInt16(letter - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
}
