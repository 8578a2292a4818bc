package import PlainText
package import StrictJSON

extension VisibleText {
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
}
