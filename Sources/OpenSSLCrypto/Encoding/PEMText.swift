internal import SecureMemory

/// Writes PEM text (RFC 7468): lines of 64 characters, each ended by a line feed.
package enum PEMText {
    /// Bytes of a line of 64 characters.
    private static let lineByteCount = 48

    package static func text(_ der: [UInt8], label: String) -> String {
        let lines = Lines(label: label, byteCount: der.count)
        return String(unsafeUninitializedCapacity: lines.count) { output in
            der.withUnsafeBytes { lines.write($0, into: UnsafeMutableRawBufferPointer(output)) }
        }
    }

    /// The same for a private key, without leaving the memory of a secret.
    static func secret(_ der: UnsafeRawBufferPointer, label: String) -> SecretBytes {
        let lines = Lines(label: label, byteCount: der.count)
        return SecretBytes(capacity: lines.count) { lines.write(der, into: $0) }
    }

    private struct Lines {
        let head: [UInt8]
        let tail: [UInt8]
        /// Length of the text.
        let count: Int

        init(label: String, byteCount: Int) {
            head = Array("-----BEGIN \(label)-----\n".utf8)
            tail = Array("-----END \(label)-----\n".utf8)
            let lines = (byteCount + lineByteCount - 1) / lineByteCount
            count = head.count + Base64Codec.encodedCount(of: byteCount, padded: true) + lines + tail.count
        }

        func write(_ der: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
            var written = 0
            func append(_ bytes: [UInt8]) {
                for byte in bytes {
                    output[written] = byte
                    written += 1
                }
            }
            append(head)
            for start in stride(from: 0, to: der.count, by: lineByteCount) {
                let line = UnsafeRawBufferPointer(rebasing: der[start..<min(start + lineByteCount, der.count)])
                let rest = UnsafeMutableRawBufferPointer(rebasing: output[written...])
                written += Base64Codec.encode(line, into: rest, .standard, padded: true)
                append([UInt8(ascii: "\n")])
            }
            append(tail)
            return written
        }
    }
}
