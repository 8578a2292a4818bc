package import StrictJSON

/// Text of tokens and policies made safe to show: nothing in it moves a cursor, reverses the line or hides itself.
package enum VisibleText {
    /// Longest value that is shown whole, in characters.
    package static let maximumCharacters = 200

    /// The text with control characters, line separators and directional marks (the "Trojan source" characters) written as `\u{…}`.
    package static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHidden) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if isHidden(scalar) { result += "\\u{\(String(scalar.value, radix: 16))}" } else { result.unicodeScalars.append(scalar) }
        }
        return result
    }

    /// The text shortened where it is long, otherwise as it is.
    package static func shortened(_ text: String) -> String {
        guard text.unicodeScalars.count > maximumCharacters else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(maximumCharacters))) + "…"
    }

    /// A name, shortened and escaped.
    package static func name(_ text: String) -> String { escaped(shortened(text)) }

    /// The text in quotation marks, shortened where it is long.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in escaped(shortened(text)).unicodeScalars {
            if scalar == "\"" { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }

    /// A value as a policy writes it: strings in quotation marks; objects and arrays by their kind alone.
    package static func value(_ value: JSONValue) -> String {
        switch value {
        case .object, .array: value.kindName
        case .string(let text): quoted(text)
        case .integer(let number): String(number)
        case .real(let number): number.description
        case .boolean(let flag): flag ? "true" : "false"
        case .null: "null"
        }
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x61C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB: true
        default: false
        }
    }
}
