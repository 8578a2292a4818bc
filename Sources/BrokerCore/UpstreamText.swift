/// Makes a service's error body fit to be shown.
enum UpstreamText {
    static let limit = 2048

    static func sanitized(_ body: [UInt8]) -> String {
        let text = String(decoding: body.prefix(limit), as: UTF8.self)
        var result = ""
        result.reserveCapacity(text.utf8.count)
        var word: [Unicode.Scalar] = []
        func flush() {
            // A JWT starts with the base64url of `{"`, perhaps right behind a name and `=`; nothing shorter than its header can be one.
            if let start = startOfToken(word), word.count - start > 24 {
                result.unicodeScalars.append(contentsOf: word[..<start])
                result += "<token>"
            } else {
                result.unicodeScalars.append(contentsOf: word)
            }
            word.removeAll(keepingCapacity: true)
        }
        for scalar in text.unicodeScalars {
            if isTokenScalar(scalar) {
                word.append(scalar)
            } else {
                flush()
                result.unicodeScalars.append(isPrintable(scalar) ? scalar : " ")
            }
        }
        flush()
        return result
    }

    /// The text without each of `secrets`, also in the forms that JSON and a query give them. What is shorter than eight bytes is no
    /// secret.
    static func cutting(_ secrets: [String], from text: [UInt8]) -> [UInt8] {
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

    private static func percentEncoded(_ text: String) -> String {
        text.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            let isPlain = isTokenScalar(scalar) && scalar != "+" && scalar != "=" || scalar == "~"
            return isPlain ? String(scalar) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    private static func startOfToken(_ word: [Unicode.Scalar]) -> Int? {
        guard word.count > 24 else { return nil }
        return (0...word.count - 3).first { word[$0] == "e" && word[$0 + 1] == "y" && word[$0 + 2] == "J" }
    }

    // Format characters reorder or hide text on a terminal; line and paragraph separators split a log line.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control: scalar == "\n"
        case .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    private static func isTokenScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".", "+", "=": true
        default: false
        }
    }
}
