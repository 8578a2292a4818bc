package import PlainText

/// What a listener needs for TLS, in PEM.
package struct TLSFiles: Sendable, Equatable {
    package var certificate: String
    package var key: String
    /// Authorities of client certificates; where they are given, nobody is served without one.
    package var clientAuthorities: String?

    package init(certificate: String, key: String, clientAuthorities: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.clientAuthorities = clientAuthorities
    }
}

/// How the HTTP front end listens and what it allows a caller.
package struct HTTPFrontEndOptions: Sendable {
    /// The TCP listener; `nil` for none.
    package var http: HostAndPort?
    /// The listener on a unix domain socket: an absolute path of at most 107 bytes; `nil` for none.
    package var unix: String?
    package var socketFile = SocketFileOptions()
    package var profile: ResponseProfile

    /// Files for TLS on the TCP listener; `nil` for none.
    package var tls: TLSFiles?
    /// Names that the `Host` field may have besides the harmless ones.
    package var hosts: [String] = []
    /// Longest request body, in bytes. A longer one is answered with 413.
    package var bodyLimit: Int
    /// Most body bytes that all connections together may hold. A request beyond that is answered with 429.
    package var totalBodyLimit = 32 << 20
    /// Longest request line and header fields together, in bytes. A longer head is answered with 431.
    package var headerLimit = 16 << 10
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
    package var discardLimit = 512 << 20
    /// Whether a request whose caller does not trace it begins a trace of its own.
    package var startsTraces = false
    /// How long requests may go on after a graceful shutdown began.
    package var drainTimeout: Duration

    package init(
        http: HostAndPort?, unix: String?, profile: ResponseProfile, bodyLimit: Int, headerTimeout: Duration, bodyTimeout: Duration,
        idleTimeout: Duration, connectionLimit: Int, drainTimeout: Duration
    ) {
        self.http = http
        self.unix = unix
        self.profile = profile
        self.bodyLimit = bodyLimit
        self.headerTimeout = headerTimeout
        self.bodyTimeout = bodyTimeout
        self.idleTimeout = idleTimeout
        self.connectionLimit = connectionLimit
        self.drainTimeout = drainTimeout
    }
}
