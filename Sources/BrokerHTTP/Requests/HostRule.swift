internal import NIOHTTP1
internal import PlainText

/// The broker is for programs beside it, and a web page must not become one of them.
struct HostRule: Sendable {
    /// Whether the `Host` field must be an address, `localhost` or one of `names`: on a loopback listener any other name was pointed here
    /// through DNS.
    let restrictsHost: Bool
    /// The names that the operator gave the listener.
    let names: [String]
    /// Whether a body must say that it is JSON, which a form of a web page cannot.
    var wantsJSON = false

    func check(_ head: HTTPRequestHead) throws(Refusal) {
        let hosts = head.headers["host"]
        guard hosts.count <= 1, hosts.count == 1 || head.version != .http1_1 else { throw .hostMissing }
        // An absolute target counts instead of the field (RFC 9112, 3.2.2); both must be harmless.
        for name in hosts + [RequestTarget(head.uri).authority].compactMap(\.self) where restrictsHost {
            guard isHarmless(name) else { throw .hostRefused }
        }
        guard head.headers["origin"].isEmpty, head.headers["sec-fetch-site"].allSatisfy({ $0.lowercased() == "none" }) else {
            throw .browser
        }
        guard wantsJSON, head.method == .POST else { return }
        let types = head.headers["content-type"]
        guard types.count == 1, Self.isJSON(types[0]) else { throw .contentType }
    }

    /// `application/json`, with or without parameters (RFC 9110, 8.3.1).
    private static func isJSON(_ type: String) -> Bool {
        type.split(separator: ";", maxSplits: 1).first?.filter { $0 != " " }.lowercased() == "application/json"
    }

    private func isHarmless(_ authority: String) -> Bool {
        guard let host = HostAndPort(authority, defaultPort: 80)?.host else { return false }
        return (names + ["localhost"]).contains { $0.equalsIgnoringASCIICase(host) } || IPAddress(host) != nil
    }
}
