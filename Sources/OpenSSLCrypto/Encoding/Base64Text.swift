/// Input that is nothing but base64, in either alphabet, possibly wrapped into lines.
package struct Base64Text {
    package let decoded: [UInt8]
    package let notes: [String]

    package init?(_ bytes: [UInt8]) {
        var text = bytes[...]
        while let last = text.last, Self.isWhiteSpace(last) { text = text.dropLast() }
        while let first = text.first, Self.isWhiteSpace(first) { text = text.dropFirst() }
        guard !text.isEmpty, !text.contains(0x20), !text.contains(0x09) else { return nil }
        let joined = text.filter { $0 != 0x0A && $0 != 0x0D }
        guard let decoded = Base64.decodeLenient(String(decoding: joined, as: UTF8.self)) else { return nil }
        self.decoded = decoded
        notes = joined.count == text.count ? [] : ["the base64 text is wrapped into lines, which were joined; ccePolicy must be one line"]
    }

    private static func isWhiteSpace(_ byte: UInt8) -> Bool { [0x20, 0x0A, 0x0D, 0x09].contains(byte) }
}
