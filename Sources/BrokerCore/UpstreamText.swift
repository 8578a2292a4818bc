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
