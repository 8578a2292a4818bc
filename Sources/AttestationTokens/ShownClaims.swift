internal import PlainText
internal import ReleasePolicy
package import StrictJSON

/// Claims as lines of text.
package enum ShownClaims {
    private static let timeClaims: Set<String> = ["iat", "nbf", "exp"]
    private static let depthLimit = 16

    /// One line for each value, `name = value`, nested names with dots; long values shortened, characters that deceive escaped. `time`
    /// writes seconds since 1970 as a date for the claims that are times.
    package static func lines(_ claims: JSONObject, time: ((Int64) -> String)? = nil) -> [String] {
        var lines: [String] = []
        append(.object(claims), name: "", depth: 0, time, to: &lines)
        return lines
    }

    private static func append(_ value: JSONValue, name: String, depth: Int, _ time: ((Int64) -> String)?, to lines: inout [String]) {
        switch value {
        case .object(let object) where depth < depthLimit && !object.isEmpty:
            for (key, member) in object {
                let key = VisibleText.escaped(key)
                append(member, name: name.isEmpty ? key : "\(name).\(key)", depth: depth + 1, time, to: &lines)
            }
        case .array(let elements) where depth < depthLimit && !elements.isEmpty:
            for (index, element) in elements.enumerated() { append(element, name: "\(name)[\(index)]", depth: depth + 1, time, to: &lines) }
        case .integer(let seconds) where timeClaims.contains(name):
            lines.append("\(name) = \(seconds)" + (time.map { "  (\($0(seconds)))" } ?? ""))
        default: lines.append("\(name) = \(VisibleText.value(value))")
        }
    }
}
