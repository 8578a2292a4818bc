internal import SecureMemory

/// Writes PEM text (RFC 7468): lines of 64 characters, each ended by a line feed.
enum PEMText {
    private static let lineLength = 64

    static func text(_ der: [UInt8], label: String) -> String {
        var result = "-----BEGIN \(label)-----\n"
        var rest = Base64.encode(der)[...]
        while !rest.isEmpty {
            result += rest.prefix(lineLength) + "\n"
            rest = rest.dropFirst(lineLength)
        }
        return result + "-----END \(label)-----\n"
    }

    /// The same for a private key, without leaving the memory of a secret.
    static func secret(_ der: UnsafeRawBufferPointer, label: String) -> SecretBytes {
        let head = Array("-----BEGIN \(label)-----\n".utf8)
        let tail = Array("-----END \(label)-----\n".utf8)
        let characters = Base64Codec.encodedCount(of: der.count, padded: true)
        let lines = (characters + lineLength - 1) / lineLength
        return SecretBytes(capacity: head.count + characters + lines + tail.count) { output in
            var written = 0
            func append(_ bytes: [UInt8]) {
                for byte in bytes {
                    output[written] = byte
                    written += 1
                }
            }
            append(head)
            // 48 bytes make one line.
            for start in stride(from: 0, to: der.count, by: 48) {
                let line = UnsafeRawBufferPointer(rebasing: der[start..<min(start + 48, der.count)])
                let rest = UnsafeMutableRawBufferPointer(rebasing: output[written...])
                written += Base64Codec.encode(line, into: rest, .standard, padded: true)
                append([UInt8(ascii: "\n")])
            }
            append(tail)
            return written
        }
    }
}
