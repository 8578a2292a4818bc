internal import PlainText
internal import ReleasePolicy

/// Text inside an HTML page. Every piece of a policy or token goes through here.
enum HTMLText {
    /// Safe as content of an element and inside a quoted attribute; characters that deceive are shown as what they are.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in VisibleText.escaped(text).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
