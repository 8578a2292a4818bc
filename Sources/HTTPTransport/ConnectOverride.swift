internal import PlainText

/// "Connect to this address instead", as curl's `--connect-to`: the request, its certificate checks and its `Host` stay those of the
/// original name.
public struct ConnectOverride: Sendable, Equatable, CustomStringConvertible {
    /// The host name to redirect, lower case; empty for every host.
    public let host: String
    /// The port to redirect; `nil` for every port.
    public let port: Int?
    /// Where to connect.
    public let toHost: String
    public let toPort: Int

    /// Reads curl's form `HOST:PORT:CONNECT-TO-HOST:CONNECT-TO-PORT`; the first two may be empty.
    public init(_ text: String) throws(Endpoint.Invalid) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let form = "write HOST:PORT:ADDRESS:PORT, for example contoso.vault.azure.net:443:127.0.0.1:8443 or ::127.0.0.1:8443"
        guard parts.count == 4, !parts[2].isEmpty, let toPort = HostAndPort.port(parts[3]), toPort > 0 else {
            throw Endpoint.Invalid(description: form)
        }
        if parts[1].isEmpty {
            port = nil
        } else if let number = HostAndPort.port(parts[1]), number > 0 {
            port = number
        } else {
            throw Endpoint.Invalid(description: form)
        }
        guard parts[0].utf8.consists(of: .visible), parts[2].utf8.consists(of: .visible) else { throw Endpoint.Invalid(description: form) }
        host = parts[0].lowercased()
        toHost = parts[2]
        self.toPort = toPort
    }

    public var description: String { "\(host):\(port.map(String.init) ?? ""):\(toHost):\(toPort)" }
}
