/// The entries of a CBOR map, in the order in which they were written. Keys are integers or strings and occur once.
package struct CBORMap: Sendable {
    package typealias Element = (key: CBORValue, value: CBORValue)

    private var entries: [Element]

    package init() { entries = [] }

    /// Takes the entries in order; the caller sees to it that no key occurs twice.
    package init(_ entries: [(CBORValue, CBORValue)]) { self.entries = entries.map { (key: $0.0, value: $0.1) } }

    init(checked entries: [Element]) { self.entries = entries }

    /// The value under an integer key.
    package subscript(label: Int64) -> CBORValue? { entries.first { $0.key.integer == label }?.value }

    /// The value under a text key, compared byte by byte.
    package subscript(name: String) -> CBORValue? {
        entries.first { entry in
            guard case .text(let key) = entry.key else { return false }
            return key.utf8.elementsEqual(name.utf8)
        }?.value
    }

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }
}

extension CBORMap: Sequence {
    package func makeIterator() -> IndexingIterator<[Element]> { entries.makeIterator() }
    package var underestimatedCount: Int { entries.count }
}
