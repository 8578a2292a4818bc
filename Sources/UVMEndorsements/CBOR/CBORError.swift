/// Why bytes are not the one CBOR item that was asked for. The words never quote content.
package struct CBORError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of complaint it is.
    package enum Kind: Sendable, Equatable {
        /// More bytes than `CBORLimits.maximumBytes`. Nothing was read.
        case tooLarge
        /// Nested deeper than `CBORLimits.maximumDepth`.
        case tooDeep
        /// More items than `CBORLimits.maximumItems`.
        case tooManyItems
        /// The bytes end inside an item, or a length reaches beyond them.
        case truncated
        /// An item of indefinite length, or a "break" without one.
        case indefiniteLength
        /// An encoding that RFC 8949 calls not well-formed.
        case malformed
        /// A longer encoding of a number than necessary, where `CBORLimits.requiresShortestForm` forbids it.
        case notShortest
        /// A text string that is not UTF-8.
        case invalidText
        /// A map key that is neither an integer nor a string.
        case unsupportedKey
        /// A key that occurs twice in one map.
        case duplicateKey
        /// Something follows the item.
        case trailingData
    }

    package let kind: Kind
    /// Offset in bytes of the item that is wrong.
    package let offset: Int

    package init(_ kind: Kind, offset: Int) {
        self.kind = kind
        self.offset = offset
    }

    /// `byte 17: a map key occurs twice`.
    package var description: String { "byte \(offset): \(kind.reason)" }
}

extension CBORError.Kind {
    var reason: String {
        switch self {
        case .tooLarge: "the CBOR data is larger than allowed"
        case .tooDeep: "the CBOR data is nested too deeply"
        case .tooManyItems: "the CBOR data has too many items"
        case .truncated: "the CBOR data ends in the middle of an item"
        case .indefiniteLength: "an item has no definite length"
        case .malformed: "not well-formed CBOR"
        case .notShortest: "a number is not in its shortest form"
        case .invalidText: "a text string is not UTF-8"
        case .unsupportedKey: "a map key is neither an integer nor a string"
        case .duplicateKey: "a map key occurs twice"
        case .trailingData: "something follows the CBOR item"
        }
    }
}
