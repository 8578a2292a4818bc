/// Text of somebody else made safe to show: nothing in it moves a cursor, reverses the line or hides itself.
package enum VisibleText {
    /// Longest value that is shown whole, in characters.
    package static let maximumCharacters = 200

    /// The text with every character that is not visible written as `\u{…}`.
    package static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { !$0.isVisible }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.isVisible { result.unicodeScalars.append(scalar) } else { result += "\\u{\(String(scalar.value, radix: 16))}" }
        }
        return result
    }

    /// The text shortened where it is long, otherwise as it is.
    package static func shortened(_ text: String, to limit: Int = maximumCharacters) -> String {
        guard text.unicodeScalars.count > limit else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit))) + "…"
    }

    /// A name, shortened and escaped.
    package static func name(_ text: String) -> String { escaped(shortened(text)) }

    /// The text in quotation marks, shortened where it is long.
    package static func quoted(_ text: String) -> String { "\"" + name(text).replacing("\"", with: "\\\"") + "\"" }

    /// A name that is expected to be harmless, for one line of a terminal or a log: what is not visible becomes `?`.
    package static func line(_ text: String, limit: Int = 120) -> String {
        String(String.UnicodeScalarView(shortened(text, to: limit).unicodeScalars.map { $0.isVisible ? $0 : "?" }))
    }
}

extension Unicode.Scalar {
    /// Whether it is shown as itself: no control, format or private character, and none that separates lines or is unassigned. Among the
    /// format characters are the directional marks (the "Trojan source" characters).
    package var isVisible: Bool {
        if value < 0x7F { return value >= 0x20 }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return false
        default: return true
        }
    }
}
