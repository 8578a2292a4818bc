internal import OpenSSLCrypto
internal import SecureMemory

extension FuzzTarget {
    /// Base64 in both alphabets and hexadecimal: all decoders agree with one that counts bits.
    static let base64 = FuzzTarget("base64", maximumBytes: 512, seeds: Base64Target.seeds, run: Base64Target.run)
}

private enum Base64Target {
    @Sendable static func seeds() -> [[UInt8]] {
        ["", "TQ==", "TWE=", "TWFu", "TWFuTWFuTWFuTWFu", "-_-_", "+/+/AAAA", "TQ", "0aF9", "TWFu\nTWFu\n"].map { Array($0.utf8) }
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let (standard, url) = (decode(input, "+/", isPaddingNeeded: true), decode(input, "-_", isPaddingNeeded: false))
        try require(decoded(input) == standard, "decode")
        try require(Base64.decodeURL(input[...]) == url, "decodeURL")
        try input.withUnsafeBytes { bytes in
            try require(content(Base64.decode(secret: bytes)) == standard, "decode(secret:)")
            try require(content(Base64.decodeURL(secret: bytes)) == url, "decodeURL(secret:)")
        }
        if let text = String(validating: input, as: UTF8.self) {
            try require(Base64.decode(text) == standard && Base64.decodeURL(text) == url, "of text")
            let either = standard ?? url ?? decode(input, "+/", isPaddingNeeded: false)
            let usesBoth = input.contains { [0x2B, 0x2F].contains($0) } && input.contains { [0x2D, 0x5F].contains($0) }
            try require(Base64.decodeLenient(text) == (usesBoth ? nil : either), "decodeLenient")
            try hexadecimal(text, input)
        }
        let (text, urlText) = (Base64.encode(input), Base64.encodeURL(input))
        try require(text == encode(input, "+/", isPadded: true), "encode")
        try require(urlText == encode(input, "-_", isPadded: false), "encodeURL")
        try require(Base64.decode(text) == input && Base64.decodeURL(urlText) == input, "there and back")
        try require(Base64.decodeWrapped(Array(text.utf8)) == (input.isEmpty ? nil : input), "decodeWrapped")
        return standard != nil || url != nil || Hex.decode(input.text) != nil || Base64.decodeWrapped(input) != nil
    }

    private static func decoded(_ input: [UInt8]) -> [UInt8]? {
        let found = Base64.decode(input)
        return planted(found, instead: found ?? Base64.decode(Array(input.dropLast())))
    }

    private static func content(_ secret: consuming SecretBytes?) -> [UInt8]? {
        guard let secret else { return nil }
        return secret.withUnsafeBytes { Array($0) }
    }

    private static func hexadecimal(_ text: String, _ input: [UInt8]) throws {
        let digits = Array("0123456789abcdef".utf8)
        try require(Array(Hex.encode(input).utf8) == input.flatMap { [digits[Int($0 / 16)], digits[Int($0 % 16)]] }, "Hex.encode")
        let isHex = text.utf8.allSatisfy { UInt8(String(UnicodeScalar($0)), radix: 16) != nil && $0 < 0x80 } && text.utf8.count % 2 == 0
        let bytes = Hex.decode(text)
        try require((bytes != nil) == isHex, "Hex.decode takes \(bytes != nil)")
        if let bytes { try require(Hex.encode(bytes) == text.lowercased(), "hexadecimal there and back") }
    }

    private static func alphabet(_ last: String) -> [UInt8] {
        Array(("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + last).utf8)
    }

    /// RFC 4648, 4 and 5: canonical, with as many `=` as are missing from four or, where they need not be there, none.
    private static func decode(_ text: [UInt8], _ last: String, isPaddingNeeded: Bool) -> [UInt8]? {
        let alphabet = alphabet(last)
        let body = text.prefix { $0 != 0x3D }
        let padding = text.dropFirst(body.count)
        guard padding.allSatisfy({ $0 == 0x3D }), padding.isEmpty && !isPaddingNeeded || (body.count + padding.count) % 4 == 0,
            padding.count < 3, body.count % 4 != 1
        else { return nil }
        var (bits, count) = (0, 0)
        var bytes: [UInt8] = []
        for character in body {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            (bits, count) = (bits << 6 | value, count + 6)
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(bits >> count))
                bits &= 1 << count - 1
            }
        }
        return bits == 0 ? bytes : nil
    }

    private static func encode(_ bytes: [UInt8], _ last: String, isPadded: Bool) -> String {
        let alphabet = alphabet(last)
        let bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
        var text = stride(from: 0, to: bits.count, by: 6).map { start in
            alphabet[(0..<6).reduce(0) { $0 << 1 | Int(start + $1 < bits.count ? bits[start + $1] : 0) }]
        }
        while isPadded, text.count % 4 != 0 { text.append(0x3D) }
        return text.text
    }
}
