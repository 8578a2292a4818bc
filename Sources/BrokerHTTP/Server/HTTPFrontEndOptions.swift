package import PlainText

/// How the HTTP front end listens and what it allows a caller.
package struct HTTPFrontEndOptions: Sendable {
    /// Which statuses and error texts callers get.
    package enum Profile: String, Sendable, CaseIterable {
        /// Those of the original Go sidecar: 403 for every failure after the request was understood.
        case compatible
        /// One status for each `BrokerError.Code`, and the broker's own words.
        case precise
    }

    /// The TCP listener; `nil` for none.
    package var tcp: HostAndPort?
    /// The listener on a unix domain socket: an absolute path of at most 107 bytes; `nil` for none.
    package var unixSocketPath: String?
    /// Permission bits of the socket file.
    package var unixSocketMode: UInt16
    package var profile: Profile

    /// Longest request body, in bytes. A longer one is answered with 413.
    package var bodyLimit: Int
    /// Most body bytes that all connections together may hold. A request beyond that is answered with 429.
    package var totalBodyLimit: Int
    /// Longest request line and header fields together, in bytes. A longer head is answered with 431.
    package var headerLimit: Int
    /// Longest time from accepting a connection, or from a later request's first byte, to the end of its header fields.
    package var headerTimeout: Duration
    /// Longest time from the end of the header fields to the end of the body. Also how long a body that was refused is read and thrown
    /// away.
    package var bodyTimeout: Duration
    /// Longest pause between two requests of a connection.
    package var idleTimeout: Duration
    /// Most connections served at once, for each listener; others wait in the system's queue.
    package var connectionLimit: Int
    /// Most bytes of a refused request that are read and thrown away before the connection is cut.
    package var discardLimit: Int
    /// How long requests may go on after a graceful shutdown began.
    package var drainTimeout: Duration

    package init(
        tcp: HostAndPort? = HostAndPort(host: "127.0.0.1", port: 8080), unixSocketPath: String? = nil, unixSocketMode: UInt16 = 0o660,
        profile: Profile = .compatible, bodyLimit: Int = 1 << 20, totalBodyLimit: Int = 32 << 20, headerLimit: Int = 16 << 10,
        headerTimeout: Duration = .seconds(10), bodyTimeout: Duration = .seconds(30), idleTimeout: Duration = .seconds(60),
        connectionLimit: Int = 512, discardLimit: Int = 512 << 20, drainTimeout: Duration = .seconds(20)
    ) {
        self.tcp = tcp
        self.unixSocketPath = unixSocketPath
        self.unixSocketMode = unixSocketMode
        self.profile = profile
        self.bodyLimit = bodyLimit
        self.totalBodyLimit = totalBodyLimit
        self.headerLimit = headerLimit
        self.headerTimeout = headerTimeout
        self.bodyTimeout = bodyTimeout
        self.idleTimeout = idleTimeout
        self.connectionLimit = connectionLimit
        self.discardLimit = discardLimit
        self.drainTimeout = drainTimeout
    }
}

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
