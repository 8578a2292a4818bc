/// A host, by name or address, and a TCP port: `localhost:8080`, `127.0.0.1:8080`, `[::1]:8080`.
package struct HostAndPort: Sendable, Hashable, CustomStringConvertible {
    /// Without the brackets of an IPv6 address.
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Where to listen: the port must be there, and 0 lets the system choose one.
    package init?(listening text: some StringProtocol) { self.init(text, otherwise: nil) }

    /// Where to connect: the port may be missing, or empty (RFC 3986, 3.2.3), and is never 0.
    package init?(_ text: some StringProtocol, defaultPort: Int) {
        self.init(text, otherwise: defaultPort)
        if port == 0 { return nil }
    }

    private init?(_ text: some StringProtocol, otherwise defaultPort: Int?) {
        guard text.utf8.count <= 300 else { return nil }
        var host = String(text)
        var digits = ""
        if !host.hasSuffix("]"), let colon = host.lastIndex(of: ":") {
            digits = String(host[host.index(after: colon)...])
            host = String(host[..<colon])
        }
        guard let port = digits.isEmpty ? defaultPort : Self.port(digits) else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":"), IPAddress(host) != nil else { return nil }
        } else {
            guard host.utf8.consists(of: .hostName, count: 1...253), !host.hasPrefix("-"), !host.hasPrefix(".") else { return nil }
            if host.utf8.consists(of: .digits + "."), IPAddress(host) == nil { return nil }
        }
        self.init(host: host, port: port)
    }

    /// A port number in plain decimal, 0 to 65535.
    package static func port(_ text: some StringProtocol) -> Int? {
        guard text.utf8.consists(of: .digits, count: 1...5), let port = Int(text), port <= 65535 else { return nil }
        return port
    }

    /// Whether only this machine (for a container group: this group) can reach a listener on it.
    package var isLoopback: Bool { IPAddress.isLoopback(host: host) }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
