internal import BrokerEngine
internal import NIOCore
internal import SecureMemory

/// The body of an answer that holds a released key.
enum ReleasedKeyBody {
    private static let prefix: StaticString = #"{"key":""#
    private static let suffix: StaticString = #""}"#

    /// `{"key":"<JWK as a JSON string>"}`, escaped byte by byte from the key's memory into a buffer of exactly the right size, so that no
    /// copy is left
    /// behind by growing. Whoever sends it overwrites it.
    static func encode(_ key: borrowing ReleasedKey) -> ByteBuffer {
        key.jwk.withUnsafeBytes { jwk in
            let size = prefix.utf8CodeUnitCount + jwk.reduce(0) { $0 + escapedCount($1) } + suffix.utf8CodeUnitCount
            var buffer = ByteBufferAllocator().buffer(capacity: size)
            buffer.writeStaticString(prefix)
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size - prefix.utf8CodeUnitCount) { destination in
                var count = 0
                for byte in jwk { count += escape(byte, into: destination, at: count) }
                return count
            }
            buffer.writeStaticString(suffix)
            return buffer
        }
    }

    static func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
        SecureMemory.wipe(bytes)
        // Copying goes through registers, which this thread would keep.
        wipeVectorRegisters()
    }

    private static func escapedCount(_ byte: UInt8) -> Int {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): 2
        case 0..<0x20: 6
        default: 1
        }
    }

    private static func escape(_ byte: UInt8, into bytes: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes[offset] = UInt8(ascii: "\\")
            bytes[offset + 1] = byte
            return 2
        case 0..<0x20:
            for (index, character) in "\\u00".utf8.enumerated() { bytes[offset + index] = character }
            let low = byte & 0x0F
            bytes[offset + 4] = UInt8(ascii: "0") + byte >> 4
            bytes[offset + 5] = low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10
            return 6
        default:
            bytes[offset] = byte
            return 1
        }
    }
}
