internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerListeners
internal import Glibc
internal import HTTPTransport
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import PlainText

/// One listening socket and everything that is accepted on it.
struct HTTPListener: Sendable {
    enum Place: Sendable {
        case tcp(HostAndPort)
        case unix(String)
    }

    let place: Place
    let setup: HTTPConnectionSetup
    let options: HTTPFrontEndOptions
    let logger: Logger
    let onListening: @Sendable (ListeningAddress) async -> Void

    /// Listens until a graceful shutdown has drained or the task is cancelled.
    func run() async throws(BrokerError) {
        let address: BindAddress
        var file: UnixSocketFile?
        switch place {
        case .tcp(let tcp): address = .hostname(tcp.host, port: tcp.port)
        case .unix(let path):
            file = try UnixSocketFile.claim(path, setting: "server.unix")
            address = .unixDomainSocket(path: path)
        }
        let socket = file
        defer { socket?.remove() }
        // Hummingbird's own lines say nothing that ours do not.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let server = Server(
            childChannelSetup: setup,
            configuration: ServerConfiguration(
                address: address, serverName: nil, availableConnectionsDelegate: .maximum(options.connectionLimit, logger: quiet)),
            onServerRunning: { channel in await started(channel, socket) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet)
        do { try await server.run() } catch {
            throw BrokerError(.misconfigured, at: .startup, "cannot listen on \(wanted): \(Self.reason(error))", cause: error)
        }
    }

    private func started(_ channel: any Channel, _ file: UnixSocketFile?) async {
        let logger = logger
        try? await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(AcceptBackoff(logger: logger), position: .first)
        }.get()
        // One at a time, so that the limit on connections is exact.
        try? await channel.setOption(.maxMessagesPerRead, value: 1).get()
        let address: ListeningAddress
        switch place {
        case .tcp(let tcp):
            address = .tcp(HostAndPort(host: tcp.host, port: channel.localAddress?.port ?? tcp.port))
            if !tcp.isLoopback, setup.tls?.wantsClientCertificate != true {
                logger.warning(
                    """
                    listening beyond this machine: everybody who can reach this address can have keys released. Requests are neither \
                    encrypted nor authenticated. Set server.http to a loopback address unless a network policy or proxy in front does both
                    """, metadata: ["address": "\(address)"])
            }
        case .unix(let path):
            address = .unix(path: path)
            file?.restrict(to: options.socketFile, logger: logger)
        }
        logger.debug(
            "accepting connections",
            metadata: [
                "address": "\(address)", "profile": "\(options.profile.rawValue)",
                "evidence": "\(setup.responder.engine.provenance.rawValue)",
            ])
        await onListening(address)
    }

    private var wanted: String {
        switch place {
        case .tcp(let tcp): tcp.description
        case .unix(let path): ListeningAddress.unix(path: path).description
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case SocketAddressError.unknown(let host, _): "the name \(host) cannot be resolved"
        case SocketAddressError.unixDomainSocketPathTooLong: "the path is longer than 107 bytes"
        default: "\(error)"
        }
    }
}
