package import PlainText

/// Where a listener ended up.
package enum ListeningAddress: Sendable, Equatable, CustomStringConvertible {
    /// The port is the one that was bound, also where 0 was asked for.
    case tcp(HostAndPort)
    case unix(path: String)

    package var description: String {
        switch self {
        case .tcp(let address): address.description
        case .unix(let path): "unix:\(path)"
        }
    }
}
