/// Walks DER (X.690) that OpenSSL has parsed before: names and extension values whose structure OpenSSLCrypto does not take apart.
struct DERReader {
    struct Element {
        /// Identifier octet; only single-byte identifiers occur in what is read here.
        let tag: UInt8
        let content: ArraySlice<UInt8>

        /// The elements of a constructed element; `nil` when its content is not a sequence of elements.
        var children: [Element]? {
            var reader = DERReader(content)
            var children: [Element] = []
            while !reader.isAtEnd {
                guard let child = reader.next() else { return nil }
                children.append(child)
            }
            return children
        }
    }

    static let sequence: UInt8 = 0x30
    static let set: UInt8 = 0x31
    static let objectIdentifier: UInt8 = 0x06
    static let utf8String: UInt8 = 0x0C

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    /// The next element, or `nil` where the bytes are not an element of definite length in its shortest form.
    mutating func next() -> Element? {
        guard let tag = rest.popFirst(), tag & 0x1F != 0x1F, let first = rest.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            let count = Int(first & 0x7F)
            guard (1...3).contains(count), rest.count >= count, rest.first != 0 else { return nil }
            length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            guard length >= 0x80 else { return nil }
            rest = rest.dropFirst(count)
        }
        guard rest.count >= length else { return nil }
        defer { rest = rest.dropFirst(length) }
        return Element(tag: tag, content: rest.prefix(length))
    }

    /// The one element that `bytes` are.
    static func single(_ bytes: ArraySlice<UInt8>, tag: UInt8) -> Element? {
        var reader = DERReader(bytes)
        guard let element = reader.next(), element.tag == tag, reader.isAtEnd else { return nil }
        return element
    }

    /// Dotted form of an object identifier's content.
    static func dotted(_ content: ArraySlice<UInt8>) -> String? {
        guard !content.isEmpty, content.count <= 64 else { return nil }
        var arcs: [UInt64] = []
        var arc: UInt64 = 0
        for byte in content {
            guard arc < 1 << 56 else { return nil }
            arc = arc << 7 | UInt64(byte & 0x7F)
            guard byte & 0x80 == 0 else { continue }
            if arcs.isEmpty {
                let first = min(arc / 40, 2)
                arcs = [first, arc - first * 40]
            } else {
                arcs.append(arc)
            }
            arc = 0
        }
        guard let last = content.last, last & 0x80 == 0 else { return nil }
        return arcs.map(String.init).joined(separator: ".")
    }
}
