/// Finds tokens in text of any origin.
package enum TokenText {
    private static let start = Array("eyJ".utf8)
    private static let bearer = Array("bearer".utf8)

    /// Replaces what looks like a JWT or JWE (`eyJ…`, the base64url of `{"`), wherever it begins, and on demand what follows the word
    /// `Bearer`.
    package static func replaced(in text: String, by mark: String, afterBearer: Bool = false) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var position = 0
        while position < bytes.count {
            if bytes[position...].starts(with: start) {
                let end = endOfToken(bytes, position)
                if end - position >= 20 {
                    result.append(contentsOf: mark.utf8)
                    position = end
                    continue
                }
            }
            if afterBearer, bytes[position...].prefix(bearer.count).lazy.map(\.asciiLowercased).elementsEqual(bearer) {
                var start = position + bearer.count
                while start < bytes.count, separators.contains(bytes[start]) { start += 1 }
                let end = endOfToken(bytes, start)
                if start > position + bearer.count, end - start >= 8 {
                    result.append(contentsOf: bytes[position..<start])
                    result.append(contentsOf: mark.utf8)
                    position = end
                    continue
                }
            }
            result.append(bytes[position])
            position += 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static let separators: ASCIISet = " :"

    private static func endOfToken(_ bytes: [UInt8], _ start: Int) -> Int {
        bytes[start...].firstIndex { !ASCIISet.token68.contains($0) } ?? bytes.count
    }
}
