package import PlainText

/// How the gRPC front end listens and what it allows a caller.
package struct GRPCFrontEndOptions: Sendable {
    package enum Place: Sendable, Equatable, CustomStringConvertible {
        case tcp(HostAndPort)
        /// An absolute path of at most 107 bytes.
        case unix(String)

        package var description: String {
            switch self {
            case .tcp(let address): address.description
            case .unix(let path): "unix:\(path)"
            }
        }
    }

    /// Where to listen; empty for no gRPC.
    package var places: [Place]
    /// For the TCP listener; `nil` for HTTP/2 in the clear.
    package var tls: TLSFiles?
    package var socketFile: SocketFileOptions
    package var hasReflection: Bool
    /// Longest message, in bytes.
    package var messageLimit: Int
    /// Most bytes that all messages together may hold.
    package var totalMessageLimit = 32 << 20
    /// How long a client may take to send its message.
    package var requestTimeout: Duration
    /// Longest time of a connection without a call.
    package var idleTimeout: Duration
    /// Most connections at a time, for each listener.
    package var connectionLimit: Int
    /// Most calls at a time, for each listener.
    package var callLimit = 512
    /// Whether a call whose caller does not trace it begins a trace of its own.
    package var startsTraces = false
    /// How long calls may go on after a graceful shutdown began.
    package var drainTimeout: Duration

    package init(
        places: [Place], tls: TLSFiles?, socketFile: SocketFileOptions, hasReflection: Bool, messageLimit: Int, requestTimeout: Duration,
        idleTimeout: Duration, connectionLimit: Int, drainTimeout: Duration
    ) {
        self.places = places
        self.tls = tls
        self.socketFile = socketFile
        self.hasReflection = hasReflection
        self.messageLimit = messageLimit
        self.requestTimeout = requestTimeout
        self.idleTimeout = idleTimeout
        self.connectionLimit = connectionLimit
        self.drainTimeout = drainTimeout
    }
}

/// Who may use the file of a unix socket.
package struct SocketFileOptions: Sendable, Equatable {
    /// Permission bits.
    package var mode: UInt16
    /// Name or number of the group that the file is given to; `nil` leaves the process's own.
    package var group: String?

    package init(mode: UInt16 = 0o660, group: String? = nil) {
        self.mode = mode
        self.group = group
    }
}
