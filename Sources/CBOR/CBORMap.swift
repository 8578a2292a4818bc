/// The entries of a CBOR map, in the order in which they were written. Keys are integers or strings and occur once.
public struct CBORMap: Sendable {
    public typealias Element = (key: CBORValue, value: CBORValue)

    private var entries: [Element]

    public init() { entries = [] }

    /// Takes the entries in order; the caller sees to it that no key occurs twice.
    public init(_ entries: [(CBORValue, CBORValue)]) {
        self.entries = entries.map { (key: $0.0, value: $0.1) }
    }

    init(checked entries: [Element]) { self.entries = entries }

    /// The value under an integer key.
    public subscript(label: Int64) -> CBORValue? {
        entries.first { $0.key.integer == label }?.value
    }

    /// The value under a text key, compared byte by byte.
    public subscript(name: String) -> CBORValue? {
        entries.first { entry in
            guard case .text(let key) = entry.key else { return false }
            return key.utf8.elementsEqual(name.utf8)
        }?.value
    }

    public var count: Int { entries.count }
    public var isEmpty: Bool { entries.isEmpty }
}

extension CBORMap: Sequence {
    public func makeIterator() -> IndexingIterator<[Element]> { entries.makeIterator() }
    public var underestimatedCount: Int { entries.count }
}
