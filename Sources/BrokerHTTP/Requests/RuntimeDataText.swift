internal import OpenSSLCrypto
internal import PlainText

/// Decodes the member `runtime_data`: base64 with padding, in the standard or in the URL alphabet, but not a mixture.
///
/// The original takes the standard alphabet only, and ignores line breaks and the unused bits of the last character; neither passes here,
/// so that
/// one value has one spelling in each alphabet.
enum RuntimeDataText {
    /// The bytes, or the refusal with the offset of the first character that cannot be or, in a text that is cut short, of its last group
    /// of four.
    static func decode(_ text: String) throws(Refusal) -> [UInt8] {
        let isURLAlphabet = text.utf8.contains { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        let bytes = isURLAlphabet && text.utf8.count % 4 == 0 ? Base64.decodeURL(text) : Base64.decode(text)
        guard let bytes, !text.isEmpty else {
            let digits: ASCIISet = isURLAlphabet ? .alphanumeric + "-_" : .alphanumeric + "+/"
            let offset = Array(text.utf8).firstIndex { !digits.contains($0) }
            throw .base64(offset: offset ?? text.utf8.count & ~3)
        }
        return bytes
    }
}
