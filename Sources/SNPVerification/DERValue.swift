internal import PlainText

/// Single DER values as AMD's extensions use them (ITU-T X.690). A decoder gives `nil` for anything that is not exactly one canonical
/// value.
enum DERValue {
    /// A non-negative INTEGER of at most 8 bytes. Values from 0x80 on carry a leading zero byte.
    static func integer(_ bytes: [UInt8]) -> UInt64? {
        guard let content = content(of: bytes, tags: [0x02]), let first = content.first, first < 0x80 else { return nil }
        if first == 0, content.count > 1 { guard content[content.startIndex + 1] >= 0x80 else { return nil } }
        guard content.count <= (first == 0 ? 9 : 8) else { return nil }
        return content.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// An IA5String, PrintableString or UTF8String of printable ASCII.
    static func text(_ bytes: [UInt8]) -> String? {
        guard let content = content(of: bytes, tags: [0x16, 0x13, 0x0C]), content.consists(of: .printable) else {
            return nil
        }
        return String(decoding: content, as: UTF8.self)
    }

    /// The content of an OCTET STRING.
    static func octets(_ bytes: [UInt8]) -> ArraySlice<UInt8>? { content(of: bytes, tags: [0x04]) }

    private static func content(of bytes: [UInt8], tags: [UInt8]) -> ArraySlice<UInt8>? {
        guard bytes.count >= 2, tags.contains(bytes[0]) else { return nil }
        let count: Int
        let start: Int
        switch bytes[1] {
        case let short where short < 0x80:
            count = Int(short)
            start = 2
        case 0x81:
            guard bytes.count >= 3, bytes[2] >= 0x80 else { return nil }
            count = Int(bytes[2])
            start = 3
        default: return nil  // Nothing of interest is longer than 255 bytes.
        }
        guard bytes.count == start + count else { return nil }
        return bytes[start...]
    }
}
