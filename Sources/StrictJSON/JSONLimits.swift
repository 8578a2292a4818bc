/// What a document may cost. Checked before the first value is built.
public struct JSONLimits: Sendable, Equatable {
    /// What happens to an integer that `Int64` cannot hold.
    public enum BigIntegers: Sendable {
        /// The document is refused.
        case refuse
        /// The number becomes the nearest `Double`.
        case asReal
    }

    /// The deepest nesting that any caller may allow: building and releasing a value tree recurses.
    public static let depthCeiling = 256

    /// Longest document, in bytes.
    public var maximumBytes: Int
    /// Deepest nesting of objects and arrays; `{}` has depth 1. Values above `depthCeiling` count as that.
    public var maximumDepth: Int
    /// Most values in the document, counted by its commas and opening brackets: a parsed value costs many times its text.
    public var maximumValues: Int
    public var bigIntegers: BigIntegers

    public init(
        maximumBytes: Int = 1 << 20, maximumDepth: Int = 32, maximumValues: Int = 1 << 17,
        bigIntegers: BigIntegers = .refuse
    ) {
        self.maximumBytes = maximumBytes
        self.maximumDepth = maximumDepth
        self.maximumValues = maximumValues
        self.bigIntegers = bigIntegers
    }
}
