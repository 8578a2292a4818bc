internal import PlainText

/// The parameters of a `WWW-Authenticate: Bearer name="value", …` field (RFC 6750, 3), for words only: no request follows from it.
struct BearerChallenge {
    private var parameters: [String: String] = [:]

    init(_ field: String) {
        let bounded = String(decoding: field.utf8.prefix(4096), as: UTF8.self)
        guard bounded.lowercased().hasPrefix("bearer ") else { return }
        var rest = bounded.dropFirst(7)
        while let equals = rest.firstIndex(of: "="), parameters.count < 16 {
            let name = rest[..<equals].filter { $0.isLetter || $0 == "_" }.lowercased()
            rest = rest[rest.index(after: equals)...]
            let value: Substring
            if rest.first == "\"" {
                rest = rest.dropFirst()
                let end = rest.firstIndex(of: "\"") ?? rest.endIndex
                value = rest[..<end]
                rest = rest[end...].dropFirst()
            } else {
                let end = rest.firstIndex(where: { $0 == "," || $0 == " " }) ?? rest.endIndex
                value = rest[..<end]
                rest = rest[end...]
            }
            if let words = UpstreamText.line(String(value), limit: 200) { parameters[name] = words }
        }
    }

    subscript(name: String) -> String? { parameters[name] }
}
