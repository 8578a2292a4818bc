/// The members of a JSON object, in document order. Names are compared byte by byte and occur once.
package struct JSONObject: Sendable {
    package typealias Element = (key: String, value: JSONValue)

    private var members: [Element] = []
    // Built only where scanning the members would be slower; always complete when it is there.
    private var positions: [MemberName: Int]?
    private static let scanLimit = 8

    package init() {}

    /// Takes the members in order; a name that occurs again replaces the earlier value in its place.
    package init(_ members: [(String, JSONValue)]) {
        self.members.reserveCapacity(members.count)
        for (key, value) in members { set(key, value) }
    }

    /// The value of that member, `nil` where it is absent.
    package subscript(key: String) -> JSONValue? { position(of: key).map { members[$0].value } }

    /// Member names in document order.
    package var keys: [String] { members.map(\.key) }
    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }

    /// Replaces the member's value in its place, or appends the member.
    package mutating func set(_ key: String, _ value: JSONValue) {
        if let position = position(of: key) { members[position].value = value } else { append(key, value) }
    }

    /// Removes a member and returns what it held. Takes time linear in the number of members.
    @discardableResult package mutating func remove(_ key: String) -> JSONValue? {
        guard let position = position(of: key) else { return nil }
        let removed = members.remove(at: position).value
        positions = nil
        if members.count > Self.scanLimit { buildIndex() }
        return removed
    }

    private mutating func append(_ key: String, _ value: JSONValue) {
        members.append((key, value))
        if positions != nil { positions?[MemberName(key)] = members.count - 1 } else if members.count > Self.scanLimit { buildIndex() }
    }

    private mutating func buildIndex() {
        var index: [MemberName: Int] = Dictionary(minimumCapacity: members.capacity)
        for (position, member) in members.enumerated() { index[MemberName(member.key)] = position }
        positions = index
    }

    private func position(of key: String) -> Int? {
        if let positions { return positions[MemberName(key)] }
        return members.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
    }
}

/// A member name with the identity of its bytes instead of Swift's canonical equivalence.
private struct MemberName: Hashable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (left: MemberName, right: MemberName) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension JSONObject: Equatable {
    /// The same members with equal values, in any order.
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }
}

extension JSONObject: Sequence {
    package func makeIterator() -> IndexingIterator<[Element]> { members.makeIterator() }
    package var underestimatedCount: Int { members.count }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}
