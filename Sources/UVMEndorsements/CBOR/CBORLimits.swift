/// What CBOR data may cost. Size is checked before the first byte is read, the rest while reading, before memory is taken.
package struct CBORLimits: Sendable, Equatable {
    /// The deepest nesting that any caller may allow: reading and releasing a value recurse.
    package static let depthCeiling = 64

    /// Longest data, in bytes.
    package var maximumBytes: Int
    /// Deepest nesting of arrays, maps and tags; a value outside all of them has depth 0. Values above `depthCeiling` count as that.
    package var maximumDepth: Int
    /// Most items, counting every element, key, value and tagged value.
    package var maximumItems: Int
    /// Whether numbers and lengths must be in their shortest form (RFC 8949, 4.2.1). COSE does not ask for it (RFC 9052, 9), so it is off
    /// by default.
    package var requiresShortestForm: Bool

    package init(maximumBytes: Int = 1 << 18, maximumDepth: Int = 16, maximumItems: Int = 4096, requiresShortestForm: Bool = false) {
        self.maximumBytes = maximumBytes
        self.maximumDepth = maximumDepth
        self.maximumItems = maximumItems
        self.requiresShortestForm = requiresShortestForm
    }
}
