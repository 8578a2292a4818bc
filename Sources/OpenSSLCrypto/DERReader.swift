internal import COpenSSL

/// Reads DER elements (X.690) one after the other out of bytes that outlive it.
struct DERReader {
    private var cursor: UnsafePointer<UInt8>?
    private let end: UnsafePointer<UInt8>?
    private let operation: String

    init(_ bytes: UnsafeRawBufferPointer, _ operation: String) {
        cursor = bytes.bindMemory(to: UInt8.self).baseAddress
        end = cursor.map { $0 + bytes.count }
        self.operation = operation
    }

    var isAtEnd: Bool { cursor == end }

    /// Takes the next element, which must be of this tag, and returns its content.
    mutating func element(
        _ tag: Int32, of tagClass: Int32 = V_ASN1_UNIVERSAL, isConstructed: Bool = false
    ) throws(CryptoError) -> UnsafeRawBufferPointer {
        guard let content = try optional(tag, of: tagClass, isConstructed: isConstructed) else {
            throw failure("an element is missing or not what belongs there")
        }
        return content
    }

    /// Takes the next element where it is of this tag.
    mutating func optional(
        _ tag: Int32, of tagClass: Int32, isConstructed: Bool
    ) throws(CryptoError) -> UnsafeRawBufferPointer? {
        guard let next = try peek(), (next.tag, next.tagClass, next.isConstructed) == (tag, tagClass, isConstructed)
        else { return nil }
        cursor = next.end
        return next.content
    }

    /// Takes the next element, whatever it is, and returns its tag, without the class, and its content.
    mutating func any() throws(CryptoError) -> (tag: Int32, content: UnsafeRawBufferPointer) {
        guard let next = try peek() else { throw failure("an element is missing") }
        cursor = next.end
        return (next.tag, next.content)
    }

    private struct Element {
        let tag: Int32
        let tagClass: Int32
        let isConstructed: Bool
        let content: UnsafeRawBufferPointer
        let end: UnsafePointer<UInt8>
    }

    /// The next element; nil at the end.
    private func peek() throws(CryptoError) -> Element? {
        guard let start = cursor, let end, start < end else { return nil }
        var next: UnsafePointer<UInt8>? = start
        var (length, tag, tagClass) = (0, Int32(), Int32())
        // The result tells an error (0x80) and the indefinite length (1), which DER does not have, apart from the constructed form (0x20).
        let form = ASN1_get_object(&next, &length, &tag, &tagClass, end - start)
        guard form == 0 || form == V_ASN1_CONSTRUCTED, let next else { throw failure("not DER") }
        return Element(
            tag: tag, tagClass: tagClass, isConstructed: form != 0,
            content: UnsafeRawBufferPointer(start: next, count: length), end: next + length)
    }

    /// Takes the next element, an INTEGER that is not negative.
    mutating func integer() throws(CryptoError) -> BigNumber {
        let content = try element(V_ASN1_INTEGER)
        guard let first = content.first, first < 0x80, first != 0 || content.count == 1 || content[1] >= 0x80 else {
            throw failure("a number is negative or not in its shortest form")
        }
        return try BigNumber(content)
    }

    /// The content of the one SEQUENCE that all of the bytes are.
    static func sequence(in bytes: UnsafeRawBufferPointer, _ operation: String) throws(CryptoError) -> DERReader {
        var outer = DERReader(bytes, operation)
        let content = try outer.element(V_ASN1_SEQUENCE, isConstructed: true)
        try outer.requireEnd()
        return DERReader(content, operation)
    }

    func requireEnd() throws(CryptoError) {
        guard isAtEnd else { throw failure("more follows than belongs there") }
    }

    func failure(_ reason: String) -> CryptoError {
        OpenSSLErrorQueue.clear()
        return CryptoError(operation: operation, reason: reason)
    }
}
