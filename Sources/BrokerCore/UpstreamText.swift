/// Makes a service's error body fit to be shown.
enum UpstreamText {
    static let limit = 2048

    static func sanitized(_ body: [UInt8]) -> String {
        let text = String(decoding: body.prefix(limit), as: UTF8.self)
        var result = ""
        result.reserveCapacity(text.utf8.count)
        var word: [Unicode.Scalar] = []
        func flush() {
            // A JWT starts with the base64url of `{"`; nothing shorter than its header can be one.
            let spelled = String(String.UnicodeScalarView(word))
            result += spelled.hasPrefix("eyJ") && word.count > 24 ? "<token>" : spelled
            word.removeAll(keepingCapacity: true)
        }
        for scalar in text.unicodeScalars {
            if isTokenScalar(scalar) {
                word.append(scalar)
            } else {
                flush()
                result.unicodeScalars.append(
                    scalar == "\n" || scalar.properties.generalCategory != .control ? scalar : " ")
            }
        }
        flush()
        return result
    }

    private static func isTokenScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".", "+", "=": true
        default: false
        }
    }
}
