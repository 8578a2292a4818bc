/// A pattern for names and paths: `*` stands for any text, `?` for one character; everything else for itself.
package struct Glob: Sendable, Hashable {
    package let pattern: String
    private let ignoresCase: Bool
    private let bytes: [UInt8]

    package init(_ pattern: String, ignoringCase ignoresCase: Bool) {
        self.pattern = pattern
        self.ignoresCase = ignoresCase
        bytes = Array((ignoresCase ? pattern.lowercased() : pattern).utf8)
    }

    package func matches(_ text: String) -> Bool { matches(Array((ignoresCase ? text.lowercased() : text).utf8)) }

    /// Goes back to the last star only, so that the time is bounded by the product of both lengths.
    private func matches(_ text: [UInt8]) -> Bool {
        var (position, place) = (0, 0)
        var star: (place: Int, position: Int)?
        while position < text.count {
            if place < bytes.count, bytes[place] == UInt8(ascii: "*") {
                star = (place, position)
                place += 1
            } else if place < bytes.count, bytes[place] == UInt8(ascii: "?") || bytes[place] == text[position] {
                place += 1
                position += 1
            } else if let last = star {
                star = (last.place, last.position + 1)
                (place, position) = (last.place + 1, last.position + 1)
            } else {
                return false
            }
        }
        return bytes[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
