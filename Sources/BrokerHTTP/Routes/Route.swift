internal import BrokerCore

/// Everything that this front end answers. Whatever is not here, another method on one of these paths included, is 404.
enum Route: String, CaseIterable, Sendable {
    case status = "/status"
    case live = "/livez"
    case ready = "/readyz"
    case attestRaw = "/attest/raw"
    case attestCombined = "/attest/combined"
    case attestMAA = "/attest/maa"
    case attestVerdict = "/attest/verdict"
    case keyRelease = "/key/release"

    var method: String {
        switch self {
        case .status, .live, .ready: "GET"
        case .attestRaw, .attestCombined, .attestMAA, .attestVerdict, .keyRelease: "POST"
        }
    }

    /// What is asked of the engine; `nil` for what everybody may know.
    var operation: RequestRecord.Operation? {
        switch self {
        case .status, .live, .ready: nil
        case .attestRaw: .attestRaw
        case .attestCombined: .attestCombined
        case .attestMAA: .attestToken
        case .attestVerdict: .attestVerdict
        case .keyRelease: .release
        }
    }

    /// The route of a request line. Paths are compared byte by byte; a query is ignored, as the original does.
    static func matching(method: String, target: RequestTarget) -> Route? {
        guard let route = Route(rawValue: target.path), route.method == method else { return nil }
        return route
    }
}

/// The path of a request target (RFC 9112, 3.2), and the authority where it is in absolute form.
struct RequestTarget: Sendable, Equatable {
    let path: String
    /// `host[:port]` of an absolute form, which then counts instead of the `Host` field.
    let authority: String?

    init(_ text: String) {
        var rest = text[...]
        var authority: String?
        if rest.prefix(7).lowercased() == "http://" {
            rest = rest.dropFirst(7)
            let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
            authority = String(rest[..<end])
            rest = rest[end...]
        }
        let end = rest.firstIndex { $0 == "?" || $0 == "#" } ?? rest.endIndex
        path = String(rest[..<end])
        self.authority = authority
    }
}
