/// A claim's name with the nesting of confidential VM tokens taken apart (azure-protocols.md, section 1.6).
struct ClaimName: Equatable {
    static let isolationPrefix = "x-ms-isolation-tee."

    /// Whether the name leads into `x-ms-isolation-tee`, where VM tokens keep what raw SNP tokens have at the top.
    let isNested: Bool
    /// The name without that prefix.
    let base: String

    init(_ text: String) {
        isNested = text.hasPrefix(Self.isolationPrefix)
        base = isNested ? String(text.dropFirst(Self.isolationPrefix.count)) : text
    }

    /// The same statement in the other kind of token.
    var otherStyle: String { isNested ? base : Self.isolationPrefix + base }
}
