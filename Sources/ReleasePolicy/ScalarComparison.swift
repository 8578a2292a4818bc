package import StrictJSON

/// Comparison of a policy's operand with a claim, by canonical text (ReleasePolicies.md, "Evaluation").
package enum ScalarComparison {
    /// `satisfied` where the two are equal, else in which way they are not.
    static func equality(wanted: JSONValue, actual: JSONValue) -> ClaimReason {
        guard let actualText = canonicalText(actual), let wantedText = canonicalText(wanted) else { return .notComparable }
        if actualText.utf8.elementsEqual(wantedText.utf8) { return .satisfied }
        let numbers = (DecimalNumber(wanted), DecimalNumber(actual))
        if let a = numbers.0, let b = numbers.1, a == b { return .sameNumberOtherText }
        if actualText.lowercased() == wantedText.lowercased() { return .differsOnlyByCase }
        if trimmed(actualText).utf8.elementsEqual(trimmed(wantedText).utf8) { return .differsOnlyByWhiteSpace }
        return kind(wanted, as: actual) ? .differentValue : .differentType
    }

    static func order(wanted: JSONValue, actual: JSONValue, _ holds: (DecimalNumber, DecimalNumber) -> Bool) -> ClaimReason {
        switch actual {
        case .object, .array, .null: return .notComparable
        default: break
        }
        guard let bound = DecimalNumber(wanted), let number = DecimalNumber(actual) else { return .notANumber }
        return holds(number, bound) ? .satisfied : .outOfRange
    }

    /// Booleans as `true` and `false`, numbers as plain decimals, strings as they are; `nil` for what has no text.
    package static func canonicalText(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .boolean(let flag): flag ? "true" : "false"
        case .integer, .real: DecimalNumber(value)?.text
        case .object, .array, .null: nil
        }
    }

    /// Whether the operand could be a value of the claim's type: "0" can be a number, "no" cannot be a boolean.
    private static func kind(_ wanted: JSONValue, as actual: JSONValue) -> Bool {
        switch actual {
        case .boolean: ["true", "false"].contains(canonicalText(wanted) ?? "")
        case .integer, .real: DecimalNumber(wanted) != nil
        case .string: if case .string = wanted { true } else { false }
        default: false
        }
    }

    private static func trimmed(_ text: String) -> Substring {
        var rest = text[...]
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return rest
    }
}
