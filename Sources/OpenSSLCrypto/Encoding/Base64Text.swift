internal import PlainText

/// Input that is nothing but base64, in either alphabet, possibly wrapped into lines.
package struct Base64Text {
    package let decoded: [UInt8]
    package let notes: [String]

    package init?(_ bytes: [UInt8]) {
        let text = bytes.trimmed(.whiteSpace)
        guard !text.isEmpty, !text.contains(0x20), !text.contains(0x09) else { return nil }
        let joined = text.filter { $0 != 0x0A && $0 != 0x0D }
        guard let decoded = Base64.decodeLenient(String(decoding: joined, as: UTF8.self)) else { return nil }
        self.decoded = decoded
        notes = joined.count == text.count ? [] : ["the base64 text is wrapped into lines, which were joined; ccePolicy must be one line"]
    }
}
