import OpenSSLCrypto
import ReleasePolicy
import StrictJSON

/// A policy of one entry, from the JSON of its conditions.
func policyText(_ conditions: String, join: String = "allOf", authority: String = "https://sharedneu.neu.attest.azure.net") -> String {
    #"{"version":"1.0.0","anyOf":[{"authority":"\#(authority)","\#(join)":[\#(conditions)]}]}"#
}

func claimsObject(_ text: String) throws -> JSONObject {
    try JSONCursor.parse(Array(text.utf8), limits: JSONLimits(bigIntegers: .asReal)).object()
}

extension ReleasePolicy { init(text: String) throws { try self.init(json: Array(text.utf8)) } }

extension JSONValue {
    /// The member at a JSON pointer.
    subscript(pointer pointer: String) -> JSONValue? {
        var value = self
        for token in pointer.split(separator: "/") {
            switch value {
            case .object(let object):
                guard let next = object[String(token)] else { return nil }
                value = next
            case .array(let elements):
                guard let index = Int(token), elements.indices.contains(index) else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }

    /// The document with the value at a JSON pointer replaced.
    func replacing(_ pointer: Substring, with new: JSONValue) -> JSONValue {
        let tokens = pointer.split(separator: "/", maxSplits: 1)
        guard let first = tokens.first else { return new }
        let rest = tokens.count > 1 ? tokens[1] : ""
        switch self {
        case .object(var object):
            if let member = object[String(first)] { object.set(String(first), member.replacing(rest, with: new)) }
            return .object(object)
        case .array(var elements):
            if let index = Int(first), elements.indices.contains(index) { elements[index] = elements[index].replacing(rest, with: new) }
            return .array(elements)
        default: return self
        }
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }
}

func base64URL(_ text: String) -> String { Base64.encodeURL(Array(text.utf8)) }

/// A JSON string literal.
func quoted(_ text: String) -> String {
    var bytes: [UInt8] = []
    JSONWriter.escape(text, into: &bytes)
    return String(decoding: bytes, as: UTF8.self)
}
