internal import PlainText

/// Why a document is not a release policy, and where.
package struct PolicyError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, for callers that answer differently by cause.
    package enum Kind: Sendable, Equatable {
        /// Not JSON at all, or too long or too deep for a policy.
        case syntax
        /// `version` is there, but no version that a service accepts.
        case unsupportedVersion
        /// The top level has no `anyOf`, also where it has an `allOf` instead.
        case missingAuthorities
        /// A required member is absent.
        case missingMember
        /// A member that the grammar does not know.
        case unknownMember
        /// The value of a member has the wrong type or form.
        case invalidValue
        /// A list that must have an element is empty: an empty `allOf` would be true of every token.
        case empty
        /// `anyOf` and `allOf` together, or two operators in one condition.
        case ambiguous
        /// Conditions nested deeper than `ReleasePolicy.maximumNesting`.
        case tooDeep
    }

    package let kind: Kind
    /// JSON pointer (RFC 6901) to the offending value: `/anyOf/0/allOf/2/equals`; empty for the document.
    package let pointer: String
    /// The end of a sentence: "expected a list of conditions, found a string".
    package let reason: String

    package init(_ kind: Kind, at pointer: String, _ reason: String) {
        self.kind = kind
        self.pointer = pointer
        self.reason = reason
    }

    /// `/anyOf/0/authority: expected a string, found a number`.
    package var description: String { pointer.isEmpty ? reason : "\(VisibleText.name(pointer)): \(reason)" }
}

/// Appends one reference token to a JSON pointer, escaped as RFC 6901 section 3 says.
func pointer(_ base: String, _ token: String) -> String {
    var escaped = ""
    for character in token.unicodeScalars {
        switch character {
        case "~": escaped += "~0"
        case "/": escaped += "~1"
        default: escaped.unicodeScalars.append(character)
        }
    }
    return "\(base)/\(escaped)"
}
