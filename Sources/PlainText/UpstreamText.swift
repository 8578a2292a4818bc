/// Makes what a service says fit to be shown.
package enum UpstreamText {
    static let limit = 2048

    /// The first two kibibytes as text without anything that looks like a token; what is not visible, but for line ends, becomes a space.
    package static func sanitized(_ body: [UInt8]) -> String {
        let text = TokenText.replaced(in: String(decoding: body.prefix(limit), as: UTF8.self).replacing("\r\n", with: "\n"), by: "<token>")
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isVisible || $0 == "\n" ? $0 : " " }))
    }

    /// The same in one line of at most `limit` characters; `nil` where nothing is left.
    package static func line(_ text: String?, limit: Int) -> String? {
        guard let text else { return nil }
        let line = sanitized(Array(text.utf8)).split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.isEmpty ? nil : String(line.prefix(limit))
    }

    /// The text without each of `secrets`, also in the forms that JSON and a query give them. What is shorter than eight bytes is no
    /// secret.
    package static func cutting(_ secrets: [String], from text: [UInt8]) -> [UInt8] {
        var result = text
        for secret in secrets where secret.utf8.count >= 8 {
            let escaped = secret.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            for form in Set([secret, escaped, escaped.replacing("/", with: "\\/"), percentEncoded(secret)]) {
                result = replacing(Array(form.utf8), in: result)
            }
        }
        return result
    }

    private static func replacing(_ form: [UInt8], in text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = text[...]
        while let place = rest.firstIndex(of: form[0]) {
            result += rest[..<place]
            rest = rest[place...]
            if rest.starts(with: form) {
                result += "<token>".utf8
                rest = rest.dropFirst(form.count)
            } else if let byte = rest.popFirst() {
                result.append(byte)
            }
        }
        return result + rest
    }
}
