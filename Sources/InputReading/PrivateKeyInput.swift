package import OpenSSLCrypto
internal import PlainText
package import SecureMemory

/// Private keys in PEM or DER, or in base64 of either, read without leaving the memory of secrets.
package enum PrivateKeyInput {
    private static let advice = "give an RSA or EC private key in PEM: openssl pkey -in KEY -out PLAIN-KEY"

    package static func read(_ input: borrowing SecretBytes) throws(InputRefusal) -> PrivateKey { try read(input, decodings: 0) }

    private static func read(_ input: borrowing SecretBytes, decodings: Int) throws(InputRefusal) -> PrivateKey {
        let isDER = input.withUnsafeBytes { $0.count > 1 && $0[0] == 0x30 && ($0[1] & 0x80 != 0 || Int($0[1]) == $0.count - 2) }
        guard !isDER else {
            return try key { () throws(CryptoError) in
                try input.withUnsafeBytes { bytes throws(CryptoError) in try PrivateKey(pkcs8DER: bytes) }
            }
        }
        let text = input.withUnsafeBytes(SecretText.plain)
        switch text.withUnsafeBytes(SecretText.label) {
        case .some(let label):
            guard label.hasSuffix("PRIVATE KEY") || text.withUnsafeBytes({ SecretText.contains($0, "PRIVATE KEY-----") }) else {
                throw InputRefusal("looks like \(PEMLabel.words(label)), not a private key", advice: advice)
            }
            return try key { () throws(CryptoError) in
                try text.withUnsafeBytes { bytes throws(CryptoError) in try PrivateKey(pem: bytes) }
            }
        case nil:
            guard decodings < 2, let inner = text.withUnsafeBytes(SecretText.decoded) else {
                throw InputRefusal("no private key in PEM or DER", advice: advice)
            }
            return try read(inner, decodings: decodings + 1)
        }
    }

    private static func key(_ read: () throws(CryptoError) -> PrivateKey) throws(InputRefusal) -> PrivateKey {
        do { return try read() } catch { throw InputRefusal(error.description, advice: advice) }
    }
}

/// `TextForm` for secrets.
package enum SecretText {
    /// The text without byte order mark, the zeros of UTF-16 and quotation marks, with line ends for written-out ones, and for the spaces
    /// of a PEM text that was put on one line.
    static func plain(_ bytes: UnsafeRawBufferPointer) -> SecretBytes {
        let isOneLine = !bytes.contains(0x0A)
        return SecretBytes(capacity: 2 * bytes.count + 2) { output in
            var count = 0
            var hyphens = 0
            var isInLabel = false
            func append(_ byte: UInt8) {
                output[count] = byte
                count += 1
            }
            var index = 0
            while index < bytes.count {
                let byte = bytes[index]
                index += 1
                hyphens = byte == UInt8(ascii: "-") ? hyphens + 1 : 0
                switch byte {
                case 0, UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"), 0xEF, 0xBB, 0xBF, 0xFE, 0xFF: continue
                case UInt8(ascii: "\\") where index < bytes.count && "rn".utf8.contains(bytes[index]):
                    append(0x0A)
                    index += 1
                // A line of PEM begins with its first character.
                case let blank where (blank == 0x20 || blank == 0x09) && (count == 0 || output[count - 1] == 0x0A): continue
                case 0x20 where isOneLine && !isInLabel: append(0x0A)
                default: append(byte)
                }
                guard hyphens == 5 else { continue }
                isInLabel.toggle()
                if isOneLine, !isInLabel { append(0x0A) }
            }
            return count
        }
    }

    /// The label of the first PEM block, which is no secret.
    static func label(_ text: UnsafeRawBufferPointer) -> String? {
        guard let start = place(of: "-----BEGIN ", in: text) else { return nil }
        return String(decoding: text[(start + 11)...].prefix(64).prefix { $0 != UInt8(ascii: "-") && $0 != 0x0A }, as: UTF8.self)
    }

    static func contains(_ text: UnsafeRawBufferPointer, _ mark: StaticString) -> Bool { place(of: mark, in: text) != nil }

    private static func place(of mark: StaticString, in text: UnsafeRawBufferPointer) -> Int? {
        mark.withUTF8Buffer { mark in
            guard text.count >= mark.count else { return nil }
            return (0...text.count - mark.count).first { text[$0...].starts(with: mark) }
        }
    }

    /// The bytes of base64 text in either alphabet.
    static func decoded(_ text: UnsafeRawBufferPointer) -> SecretBytes? {
        let joined = SecretBytes(capacity: text.count) { output in
            var count = 0
            for byte in text where !ASCIISet.whiteSpace.contains(byte) {
                output[count] = byte
                count += 1
            }
            return count
        }
        guard joined.count >= 16 else { return nil }
        return joined.withUnsafeBytes { Base64.decode(secret: $0) ?? Base64.decodeURL(secret: $0) }
    }

    /// What the text of a key file can stand for beside its own bytes.
    package enum Encoding: String, Sendable, CaseIterable { case hex, base64 }

    /// How a key file can be meant, `nil` for bytes that are no text of either kind. Lengths and alphabet tell, and neither is secret.
    package static func encoding(of bytes: UnsafeRawBufferPointer) -> Encoding? {
        let digits = bytes.lazy.filter { !ASCIISet.whiteSpace.contains($0) }
        let count = digits.count
        if count >= 16, count.isMultiple(of: 2), digits.allSatisfy(ASCIISet.hexDigits.contains) { return .hex }
        let padding = digits.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        let isBase64 = digits.prefix(count - padding).allSatisfy((ASCIISet.alphanumeric + "+/-_").contains)
        return isBase64 && [16, 24, 32, 48, 64].contains((count - padding) * 3 / 4) ? .base64 : nil
    }

    /// The bytes that the text stands for; `nil` where it is not of that kind.
    package static func decoded(_ text: UnsafeRawBufferPointer, from encoding: Encoding) -> SecretBytes? {
        guard encoding == .hex else { return decoded(text) }
        let digits = text.lazy.filter { !ASCIISet.whiteSpace.contains($0) }
        let count = digits.count
        guard count > 0, count.isMultiple(of: 2), digits.allSatisfy(ASCIISet.hexDigits.contains) else { return nil }
        return SecretBytes(capacity: count / 2) { output in
            for (position, digit) in digits.enumerated() {
                output[position / 2] = output[position / 2] << 4 | (digit.hexDigitValue ?? 0)
            }
            return count / 2
        }
    }
}
