internal import COpenSSL
package import SecureMemory

/// Random bytes from OpenSSL's generator, which is seeded from the kernel.
package enum SecureRandom {
    /// `count` random bytes. Stops the process where the system has no randomness at all: there is no safe way to go on.
    package static func bytes(_ count: Int) -> [UInt8] {
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { output, written in
            precondition(RAND_bytes_ex(nil, output.baseAddress, count, 0) == 1, "the system has no random numbers")
            written = count
        }
    }

    /// The same for a key: from the generator for private values, into memory that is wiped.
    package static func secret(_ count: Int) -> SecretBytes {
        SecretBytes(capacity: count) { output in
            let isFilled = RAND_priv_bytes_ex(nil, output.bindMemory(to: UInt8.self).baseAddress, count, 0) == 1
            precondition(isFilled, "the system has no random numbers")
            return count
        }
    }

    /// `byteCount` random bytes as lower-case hexadecimal text, two characters a byte.
    package static func hex(_ byteCount: Int) -> String { Hex.encode(bytes(byteCount)) }

    /// A random UUID (RFC 9562, version 4) in lower case.
    package static func uuid() -> String {
        var bytes = bytes(16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let groups = [bytes[0..<4], bytes[4..<6], bytes[6..<8], bytes[8..<10], bytes[10..<16]]
        return groups.map { Hex.encode($0) }.joined(separator: "-")
    }
}
