internal import PlainText
package import SecureMemory

/// Base64 (RFC 4648), strict: no white space, and the unused bits of the last character must be zero, so that each text has one reading and
/// each
/// sequence of bytes one text.
package enum Base64 {
    /// Standard alphabet, padded.
    package static func encode(_ bytes: some Collection<UInt8>) -> String { text(of: Array(bytes), .standard, padded: true) }

    /// URL alphabet, no padding.
    package static func encodeURL(_ bytes: some Collection<UInt8>) -> String { text(of: Array(bytes), .url, padded: false) }

    /// Reads the standard alphabet with its padding; nil for anything else.
    package static func decode(_ text: String) -> [UInt8]? { bytes(of: text, .standard, padding: .required) }

    /// Reads the standard alphabet with its padding; nil for anything else.
    package static func decode(_ characters: [UInt8]) -> [UInt8]? {
        characters.withUnsafeBytes { bytes(of: $0, .standard, padding: .required) }
    }

    /// Reads the URL alphabet. Padding may be left out; where it is there it must be right.
    package static func decodeURL(_ text: String) -> [UInt8]? { bytes(of: text, .url, padding: .optional) }

    /// Reads the URL alphabet. Padding may be left out; where it is there it must be right.
    package static func decodeURL(_ characters: ArraySlice<UInt8>) -> [UInt8]? {
        characters.withUnsafeBytes { bytes(of: $0, .url, padding: .optional) }
    }

    /// Reads either alphabet (not a mixture), padded or not. As strict as the others about everything else.
    package static func decodeLenient(_ text: String) -> [UInt8]? {
        let usesURLAlphabet = text.utf8.contains { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        return bytes(of: text, usesURLAlphabet ? .url : .standard, padding: .optional)
    }

    /// Reads a text that is nothing but base64 in either alphabet, possibly wrapped into lines, between white space.
    package static func decodeWrapped(_ bytes: [UInt8]) -> [UInt8]? {
        let text = bytes.trimmed(.whiteSpace)
        guard !text.isEmpty, !text.contains(0x20), !text.contains(0x09) else { return nil }
        return decodeLenient(String(decoding: text.filter { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self))
    }

    // MARK: Secrets

    /// Characters that `encodeURL(_:into:)` writes for `byteCount` bytes.
    package static func encodedURLCount(of byteCount: Int) -> Int { Base64Codec.encodedCount(of: byteCount, padded: false) }

    /// Writes `bytes` in the URL alphabet, without padding, to the start of `output`, and returns the number of characters. Neither time
    /// nor memory access
    /// depends on the bytes. `output` must hold `encodedURLCount(of: bytes.count)` characters.
    package static func encodeURL(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
        Base64Codec.encode(bytes, into: output, .url, padded: false)
    }

    /// `decodeURL` for secret text: text and bytes stay outside of Swift's arrays.
    package static func decodeURL(secret text: UnsafeRawBufferPointer) -> SecretBytes? { secret(text, .url, padding: .optional) }

    /// `decode` for secret text: text and bytes stay outside of Swift's arrays.
    package static func decode(secret text: UnsafeRawBufferPointer) -> SecretBytes? { secret(text, .standard, padding: .required) }

    // MARK: The codec applied to each kind of memory

    private static func text(of bytes: [UInt8], _ alphabet: Base64Codec.Alphabet, padded: Bool) -> String {
        let count = Base64Codec.encodedCount(of: bytes.count, padded: padded)
        return String(unsafeUninitializedCapacity: count) { output in
            bytes.withUnsafeBytes { Base64Codec.encode($0, into: UnsafeMutableRawBufferPointer(output), alphabet, padded: padded) }
        }
    }

    private static func bytes(of text: String, _ alphabet: Base64Codec.Alphabet, padding: Base64Codec.Padding) -> [UInt8]? {
        var text = text
        return text.withUTF8 { bytes(of: UnsafeRawBufferPointer($0), alphabet, padding: padding) }
    }

    private static func bytes(of characters: UnsafeRawBufferPointer, _ alphabet: Base64Codec.Alphabet, padding: Base64Codec.Padding)
        -> [UInt8]?
    {
        var isValid = true
        let bytes = [UInt8](unsafeUninitializedCapacity: characters.count / 4 * 3 + 3) { output, count in
            let decoded = Base64Codec.decode(characters, into: UnsafeMutableRawBufferPointer(output), alphabet, padding)
            isValid = decoded != nil
            count = decoded ?? 0
        }
        return isValid ? bytes : nil
    }

    private static func secret(_ text: UnsafeRawBufferPointer, _ alphabet: Base64Codec.Alphabet, padding: Base64Codec.Padding)
        -> SecretBytes?
    {
        var isValid = true
        let bytes = SecretBytes(capacity: text.count / 4 * 3 + 3) { output in
            let decoded = Base64Codec.decode(text, into: output, alphabet, padding)
            isValid = decoded != nil
            return decoded ?? 0
        }
        guard isValid else { return nil }
        return bytes
    }
}
