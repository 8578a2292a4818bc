internal import Glibc
internal import PlainText

extension Certificate {
    /// Longest bundle that is looked through.
    package static let maximumBundleByteCount = 16 * 1024 * 1024

    /// The certificates of a file: one in DER, or any number of PEM blocks (RFC 7468) with other text, other blocks and any line ends
    /// around them.
    ///
    /// Throws where there is none or more than `maximumCount`, and where a block that says `CERTIFICATE` is not one; the order is the
    /// file's.
    package static func parse(pemOrDER content: [UInt8], maximumCount: Int) throws(CryptoError) -> [Certificate] {
        let operation = "reading certificates"
        guard content.count <= maximumBundleByteCount else {
            throw CryptoError(operation: operation, reason: "more than \(maximumBundleByteCount) bytes")
        }
        var blocks = PEMBlocks(content)
        var certificates: [Certificate] = []
        while let block = try blocks.next() {
            guard certificates.count < maximumCount else {
                throw CryptoError(operation: operation, reason: "more than \(maximumCount) certificates")
            }
            do throws(CryptoError) { certificates.append(try Certificate(der: block)) } catch {
                throw CryptoError(operation: operation, reason: "certificate \(certificates.count + 1): \(error.reason)")
            }
        }
        guard certificates.isEmpty else { return certificates }
        // DER begins with a sequence tag, which no text does.
        guard content.first == 0x30 else { throw CryptoError(operation: operation, reason: "no certificate found") }
        guard maximumCount >= 1 else { throw CryptoError(operation: operation, reason: "more than \(maximumCount) certificates") }
        return [try Certificate(der: content)]
    }
}

/// Finds the blocks of one label in a text, in one pass.
struct PEMBlocks {
    /// Base64 of the longest certificate, with room for line ends.
    private static let maximumTextByteCount = Certificate.maximumByteCount * 2

    private let content: [UInt8]
    private let begin: [UInt8]
    private let end: [UInt8]
    private var position = 0

    init(_ content: [UInt8], label: String = "CERTIFICATE") {
        self.content = content
        begin = Array("-----BEGIN \(label)-----".utf8)
        end = Array("-----END \(label)-----".utf8)
    }

    /// The bytes of the next block; nil after the last.
    mutating func next() throws(CryptoError) -> [UInt8]? {
        guard let start = find(begin, from: position, limit: content.count) else { return nil }
        let limit = min(content.count, start + Self.maximumTextByteCount)
        guard let stop = find(end, from: start, limit: limit) else {
            throw CryptoError(operation: "reading certificates", reason: "a certificate block does not end")
        }
        position = stop
        guard let bytes = Self.decode(content[start..<stop - end.count]) else {
            throw CryptoError(operation: "reading certificates", reason: "a certificate block is not Base64")
        }
        return bytes
    }

    private static func decode(_ block: ArraySlice<UInt8>) -> [UInt8]? {
        let characters = [UInt8](unsafeUninitializedCapacity: block.count) { output, count in
            for byte in block where !ASCIISet.whiteSpace.contains(byte) {
                output[count] = byte
                count += 1
            }
        }
        return Base64.decode(characters)
    }

    /// The position after the next occurrence of `mark`.
    private func find(_ mark: [UInt8], from start: Int, limit: Int) -> Int? {
        content.withUnsafeBytes { bytes in
            mark.withUnsafeBytes { mark in
                var index = start
                while index + mark.count <= limit {
                    // Marks begin with a hyphen, which text between them seldom has.
                    guard let base = bytes.baseAddress, let start = mark.baseAddress,
                        let hyphen = memchr(base + index, Int32(mark[0]), limit - mark.count - index + 1)
                    else { return nil }
                    index = UnsafeRawPointer(hyphen) - base
                    if memcmp(base + index, start, mark.count) == 0 { return index + mark.count }
                    index += 1
                }
                return nil
            }
        }
    }
}
