internal import StrictJSON

/// Finds a claim by its dotted name.
enum ClaimLookup: Equatable {
    case found(JSONValue)
    /// Nothing there; `null` counts as nothing.
    case missing
    /// The path leads into an array, which claim names cannot address.
    case throughArray

    /// Walks nested objects from the top of the token. Every dot is a step: a member whose name contains a dot is never matched.
    init(_ path: String, in claims: JSONObject) {
        var value = JSONValue.object(claims)
        for part in path.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            switch value {
            case .object(let object):
                guard let next = object[String(decoding: part, as: UTF8.self)] else {
                    self = .missing
                    return
                }
                value = next
            case .array:
                self = .throughArray
                return
            default:
                self = .missing
                return
            }
        }
        self = value == .null ? .missing : .found(value)
    }
}
