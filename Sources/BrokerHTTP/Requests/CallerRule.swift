internal import NIOHTTP1
internal import PlainText

/// Who may ask. The broker is for programs beside it, and a web page must not become one of them.
struct CallerRule: Sendable {
    /// Whether the `Host` field must be an address, `localhost` or `listenName`: on a loopback listener any other name was pointed here
    /// through DNS.
    let restrictsHost: Bool
    /// The name under which the operator told the listener to listen.
    let listenName: String?

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
    }

    private func isHarmless(_ authority: String) -> Bool {
        guard let host = HostAndPort(authority, defaultPort: 80)?.host else { return false }
        return [listenName, "localhost"].contains { $0?.equalsIgnoringASCIICase(host) == true } || IPAddress(host) != nil
    }
}
