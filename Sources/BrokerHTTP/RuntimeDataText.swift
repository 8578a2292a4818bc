internal import OpenSSLCrypto

/// Decodes the member `runtime_data`: base64 with padding, in the standard or in the URL alphabet, but not a mixture.
///
/// The original takes the standard alphabet only, and ignores line breaks and the unused bits of the last character; neither passes here, so that
/// one value has one spelling in each alphabet.
enum RuntimeDataText {
    /// The bytes, or the refusal with the offset that Go's decoder reports for the same text.
    static func decode(_ text: String) throws(Refusal) -> [UInt8] {
        let isURLAlphabet = text.utf8.contains { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        let bytes = isURLAlphabet && text.utf8.count % 4 == 0 ? Base64.decodeURL(text) : Base64.decode(text)
        guard let bytes, !text.isEmpty else {
            throw .base64(offset: offsetOfComplaint(Array(text.utf8), isURLAlphabet: isURLAlphabet))
        }
        return bytes
    }

    /// Where Go's `encoding/base64` says that the text is corrupt: quantum by quantum, the offset of the first character that cannot be, or of the
    /// quantum's beginning where it is cut short.
    static func offsetOfComplaint(_ text: [UInt8], isURLAlphabet: Bool) -> Int {
        var start = 0
        while start < text.count {
            for index in 0..<4 {
                let offset = start + index
                // A text that ends inside a quantum: Go names the start of the characters that are left over.
                guard offset < text.count else { return start }
                let byte = text[offset]
                if isDigit(byte, isURLAlphabet: isURLAlphabet) { continue }
                guard byte == UInt8(ascii: "=") else { return offset }
                return offsetAfterPadding(text, at: offset, index: index)
            }
            start += 4
        }
        return max(0, text.count - 1)
    }

    private static func offsetAfterPadding(_ text: [UInt8], at offset: Int, index: Int) -> Int {
        switch index {
        case 0, 1:
            return offset
        case 2:
            guard offset + 1 < text.count else { return text.count }
            guard text[offset + 1] == UInt8(ascii: "=") else { return offset }
            // Garbage behind the padding, or unused bits that are not zero.
            return offset + 2 < text.count ? offset + 2 : offset - 1
        default:
            return offset + 1 < text.count ? offset + 1 : offset - 1
        }
    }

    private static func isDigit(_ byte: UInt8, isURLAlphabet: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "+"), UInt8(ascii: "/"): !isURLAlphabet
        case UInt8(ascii: "-"), UInt8(ascii: "_"): isURLAlphabet
        default: false
        }
    }
}
