/// What a document may cost. Checked before the first value is built.
package struct JSONLimits: Sendable, Equatable {
    /// What happens to an integer that `Int64` cannot hold.
    package enum BigIntegers: Sendable {
        /// The document is refused.
        case refuse
        /// The number becomes the nearest `Double`.
        case asReal
    }

    /// The deepest nesting that any caller may allow: building and releasing a value tree recurses.
    package static let depthCeiling = 256

    /// Longest document, in bytes.
    package var maximumBytes: Int
    /// Deepest nesting of objects and arrays; `{}` has depth 1. Values above `depthCeiling` count as that.
    package var maximumDepth: Int
    /// Most values in the document, counted by its commas and opening brackets: a parsed value costs many times its text.
    package var maximumValues: Int
    package var bigIntegers: BigIntegers

    package init(maximumBytes: Int = 1 << 20, maximumDepth: Int = 32, maximumValues: Int = 1 << 17, bigIntegers: BigIntegers = .refuse) {
        self.maximumBytes = maximumBytes
        self.maximumDepth = maximumDepth
        self.maximumValues = maximumValues
        self.bigIntegers = bigIntegers
    }
}
