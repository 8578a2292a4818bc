internal import PlainText

/// A value and the place where it was found. Reading through a cursor gives errors that name the path.
package struct JSONCursor: Sendable, Equatable {
    package let value: JSONValue
    /// `response.key.key_ops[0]`; empty for the document itself.
    package let path: String

    package init(_ value: JSONValue, path: String = "") {
        self.value = value
        self.path = path
    }

    /// Parses a document; see `JSONValue.parse`.
    package static func parse(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONCursor {
        JSONCursor(try JSONValue.parse(bytes, limits: limits))
    }

    /// An error about this value, for checks that go beyond its type.
    package func invalid(_ reason: String) -> JSONError { JSONError(.invalidValue, path: path, reason) }

    // MARK: The value itself

    package func object() throws(JSONError) -> JSONObject {
        guard case .object(let object) = value else { throw mismatch("an object") }
        return object
    }

    package func array() throws(JSONError) -> [JSONCursor] {
        guard case .array(let elements) = value else { throw mismatch("an array") }
        return elements.enumerated().map { index, element in JSONCursor(element, path: "\(path)[\(index)]") }
    }

    package func string() throws(JSONError) -> String {
        guard case .string(let text) = value else { throw mismatch("a string") }
        return text
    }

    /// A number without fraction and exponent.
    package func integer() throws(JSONError) -> Int64 {
        switch value {
        case .integer(let number): return number
        case .real: throw JSONError(.wrongType, path: path, "expected an integer, found a number with a fraction or exponent")
        default: throw mismatch("an integer")
        }
    }

    package func boolean() throws(JSONError) -> Bool {
        guard case .boolean(let flag) = value else { throw mismatch("a boolean") }
        return flag
    }

    /// Any number; integers beyond 2^53 are rounded.
    package func number() throws(JSONError) -> Double {
        switch value {
        case .integer(let number): return Double(number)
        case .real(let number): return number
        default: throw mismatch("a number")
        }
    }

    /// `86399` or `"86399"`: decimal digits with an optional minus sign and nothing else.
    package func integerOrNumericString() throws(JSONError) -> Int64 {
        guard case .string(let text) = value else {
            if case .integer(let number) = value { return number }
            throw mismatch("an integer or a string of digits")
        }
        guard text.utf8.first != UInt8(ascii: "+"), let number = Int64(text) else {
            throw JSONError(.wrongType, path: path, "expected an integer or a string of digits, found other text")
        }
        return number
    }

    /// The members of an object, each as a cursor, in document order.
    package func members() throws(JSONError) -> [(name: String, value: JSONCursor)] {
        try object().map { member in (member.key, JSONCursor(member.value, path: path(to: member.key))) }
    }

    // MARK: Members of an object

    /// A member that must be there.
    package func member(_ name: String) throws(JSONError) -> JSONCursor {
        guard let value = try object()[name] else { throw JSONError(.missing, path: path(to: name), "required, but missing") }
        return JSONCursor(value, path: path(to: name))
    }

    /// A member that may be absent or `null`.
    package func optional(_ name: String) throws(JSONError) -> JSONCursor? {
        guard let value = try object()[name], value != .null else { return nil }
        return JSONCursor(value, path: path(to: name))
    }

    package func object(_ name: String) throws(JSONError) -> JSONObject { try member(name).object() }
    package func array(_ name: String) throws(JSONError) -> [JSONCursor] { try member(name).array() }
    package func optionalArray(_ name: String) throws(JSONError) -> [JSONCursor]? { try optional(name)?.array() }
    package func string(_ name: String) throws(JSONError) -> String { try member(name).string() }
    package func optionalString(_ name: String) throws(JSONError) -> String? { try optional(name)?.string() }
    package func integer(_ name: String) throws(JSONError) -> Int64 { try member(name).integer() }
    package func optionalInteger(_ name: String) throws(JSONError) -> Int64? { try optional(name)?.integer() }
    package func boolean(_ name: String) throws(JSONError) -> Bool { try member(name).boolean() }
    package func optionalBoolean(_ name: String) throws(JSONError) -> Bool? { try optional(name)?.boolean() }
    package func number(_ name: String) throws(JSONError) -> Double { try member(name).number() }

    /// A member that is an integer or its decimal digits in a string, as identity services write `expires_in`.
    package func integerOrNumericString(_ name: String) throws(JSONError) -> Int64 { try member(name).integerOrNumericString() }

    /// Refuses an object with a member that is not in `known`.
    package func rejectMembers(except known: Set<String>) throws(JSONError) {
        for member in try object() {
            // `contains` alone would accept a canonically equivalent name.
            guard let index = known.firstIndex(of: member.key), known[index].utf8.elementsEqual(member.key.utf8) else {
                throw JSONError(.unknownMember, path: path(to: member.key), "unknown member")
            }
        }
    }

    private func mismatch(_ expected: String) -> JSONError {
        JSONError(.wrongType, path: path, "expected \(expected), found \(value.kindName)")
    }

    private func path(to name: String) -> String {
        let name = Self.printable(name)
        return path.isEmpty ? name : "\(path).\(name)"
    }

    // A name may come from the document. It must not grow a log line without bound or break it.
    private static func printable(_ name: String) -> String {
        name.utf8.consists(of: .visible, count: 1...64) ? name : "'\(VisibleText.line(name, limit: 64))'"
    }
}
