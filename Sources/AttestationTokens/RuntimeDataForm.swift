package import StrictJSON

/// Runtime data in the form in which it is sent: as JSON where it is a JSON object, which the token then repeats as `x-ms-runtime`;
/// otherwise as opaque bytes.
package struct RuntimeDataForm: Sendable {
    package let bytes: [UInt8]
    /// The document, or `nil` for opaque bytes.
    package let document: JSONValue?

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // A document that is too large, too deep or has a name twice could not be compared later, so it is not sent as one.
        if let value = try? JSONValue.parse(bytes, limits: JSONLimits(bigIntegers: .asReal)), case .object = value {
            document = value
        } else {
            document = nil
        }
    }

    /// `dataType` of the request (AttestationService.md, "Attest request").
    package var dataType: String { document == nil ? "Binary" : "JSON" }
}

extension JSONValue {
    /// The same document by meaning: members in any order, and numbers by value, because a service may write `1.0` for `1`.
    package func means(_ other: JSONValue) -> Bool {
        switch (self, other) {
        case (.object(let a), .object(let b)):
            return a.count == b.count && a.allSatisfy { member in b[member.key].map(member.value.means) ?? false }
        case (.array(let a), .array(let b)): return a.count == b.count && zip(a, b).allSatisfy { $0.means($1) }
        case (.integer(let a), .real(let b)), (.real(let b), .integer(let a)): return Double(a) == b
        default: return self == other
        }
    }
}
