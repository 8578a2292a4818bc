/// A claim's name with the nesting of confidential VM tokens taken apart (AttestationService.md, "Tokens of confidential VMs").
package struct ClaimName: Equatable {
    package static let isolationPrefix = "x-ms-isolation-tee."

    /// Whether the name leads into `x-ms-isolation-tee`, where VM tokens keep what raw SNP tokens have at the top.
    package let isNested: Bool
    /// The name without that prefix.
    package let base: String

    package init(_ text: String) {
        isNested = text.hasPrefix(Self.isolationPrefix)
        base = isNested ? String(text.dropFirst(Self.isolationPrefix.count)) : text
    }

    /// The same statement in the other kind of token.
    package var otherStyle: String { isNested ? base : Self.isolationPrefix + base }
}
