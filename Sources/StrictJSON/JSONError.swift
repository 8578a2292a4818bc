/// Why a document is not what was asked for. The words never quote values, because a misplaced secret must not reach a log.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of complaint it is.
    package enum Kind: Sendable, Equatable {
        /// More bytes, or more values, than `JSONLimits` allows. Nothing was parsed.
        case tooLarge
        /// Nested deeper than `JSONLimits.maximumDepth`. Nothing was parsed.
        case tooDeep
        /// Not JSON (RFC 8259), or not UTF-8.
        case syntax
        /// A member name occurs twice in one object.
        case duplicateKey
        /// Something follows the document.
        case trailingData
        /// A required member is absent.
        case missing
        /// A value of another type than expected.
        case wrongType
        /// A member that the schema does not know.
        case unknownMember
        /// The right type, but a value that cannot be used.
        case invalidValue
    }

    package let kind: Kind
    /// Where in the document: `response.key.key_ops[0]`; empty for the document itself and for errors of syntax.
    package let path: String
    /// The end of a sentence: "expected a string, found a number".
    package let reason: String
    /// Line, counted from 1, for errors of syntax.
    package let line: Int?
    /// Offset in bytes from the start of the document where reading stopped, for errors of syntax.
    package let position: Int?
    /// Column, counted from 1 in characters, for documents that a person wrote.
    package private(set) var column: Int?

    package init(_ kind: Kind, path: String = "", _ reason: String, line: Int? = nil, position: Int? = nil) {
        self.kind = kind
        self.path = path
        self.reason = reason
        self.line = line
        self.position = position
    }

    /// The same with line and column of `position`.
    func withColumn(in bytes: [UInt8]) -> JSONError {
        guard let position else { return self }
        let before = bytes.prefix(position)
        var error = JSONError(kind, path: path, reason, line: before.reduce(1) { $1 == 0x0A ? $0 + 1 : $0 }, position: position)
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        // Bytes 10xxxxxx continue a character.
        error.column = before[lineStart...].reduce(1) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
        return error
    }

    /// `response.key.key_hsm: expected a string, found a number`, or `line 3, byte 17: not valid JSON`.
    package var description: String {
        var place = path
        if let line, let position {
            if !place.isEmpty { place += ", " }
            place += "line \(line), \(column.map { "column \($0)" } ?? "byte \(position)")"
        }
        return place.isEmpty ? reason : "\(place): \(reason)"
    }
}
