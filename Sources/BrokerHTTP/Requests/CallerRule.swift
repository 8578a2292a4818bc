internal import HTTPTransport
internal import NIOHTTP1

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
        guard let host = Self.hostName(of: authority) else { return false }
        return [listenName, "localhost"].contains { $0?.equalsIgnoringASCIICase(host) == true } || IPAddress(host) != nil
    }

    /// The host of `host`, `host:port`, `[address]` or `[address]:port`; `nil` for anything else.
    static func hostName(of authority: String) -> String? {
        var host = authority.utf8[...]
        var port: Substring.UTF8View?
        if host.first == UInt8(ascii: "[") {
            guard let end = host.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let rest = host[host.index(after: end)...]
            guard rest.isEmpty || rest.first == UInt8(ascii: ":") else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
            host = host[host.index(after: host.startIndex)..<end]
            guard host.contains(UInt8(ascii: ":")) else { return nil }
        } else if let colon = host.firstIndex(of: UInt8(ascii: ":")) {
            port = host[host.index(after: colon)...]
            host = host[..<colon]
        }
        if let port { guard port.count <= 5, port.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil } }
        return host.isEmpty ? nil : String(decoding: host, as: UTF8.self)
    }
}
