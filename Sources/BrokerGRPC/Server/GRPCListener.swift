internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerListeners
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Glibc
internal import Logging
internal import NIOCore
internal import PlainText
internal import ServiceLifecycle

/// One listening socket and the server behind it.
struct GRPCListener: Sendable {
    let place: GRPCFrontEndOptions.Place
    let options: GRPCFrontEndOptions
    /// `nil` where connections are not encrypted.
    let tls: ServerTLS?
    let callers: ConnectedCallers
    let budget: BodyBudget
    let services: [any RegistrableRPCService]
    let drain: Drain
    let logger: Logger

    /// Listens until a graceful shutdown has drained or the task is cancelled.
    func run(_ onListening: @escaping @Sendable (ListeningAddress) async -> Void) async throws(BrokerError) {
        var file: UnixSocketFile?
        if case .unix(let path) = place { file = try UnixSocketFile.claim(path, setting: "server.grpc-unix") }
        let claimed = file
        defer { claimed?.remove() }
        let limits = ConnectionLimits(options: options, callers: callers, budget: budget, logger: logger)
        let transport = HTTP2ServerTransport.Custom(
            listenerFactory: GRPCSocket(place: place, tls: tls, limits: limits, callers: callers),
            config: limits.configuration)
        let server = GRPCServer(transport: transport, services: services)
        do {
            try await withGracefulShutdownHandler {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await server.serve() }
                    // Without one the server says why.
                    if let bound = await transport.listeningAddress { await started(bound, claimed, onListening) }
                    try await group.next()
                }
            } onGracefulShutdown: {
                drain.begin()
                server.beginGracefulShutdown()
            }
        } catch {
            // What was cut because its time was over has no other error.
            guard !Task.isCancelled else { return }
            throw BrokerError(.misconfigured, at: .startup, "cannot listen on \(place): \(Self.reason(error))", cause: error)
        }
    }

    private func started(
        _ bound: GRPCNIOTransportCore.SocketAddress, _ file: UnixSocketFile?, _ onListening: @Sendable (ListeningAddress) async -> Void
    ) async {
        switch place {
        case .unix(let path):
            file?.restrict(to: options.socketFile, logger: logger)
            await onListening(.unix(path: path))
        case .tcp(let tcp):
            let address = HostAndPort(host: tcp.host, port: bound.ipv4?.port ?? bound.ipv6?.port ?? tcp.port)
            if !tcp.isLoopback, tls?.wantsClientCertificate != true {
                logger.warning(
                    """
                    listening beyond this machine: everybody who can reach this address can have images decrypted. Set \
                    server.tls.client-ca, or server.grpc to a loopback address
                    """, metadata: ["address": "\(address)"])
            }
            await onListening(.tcp(address))
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        // The transport wraps what the system said.
        case let error as RuntimeError: error.cause.map { reason($0) } ?? error.message
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case SocketAddressError.unknown(let host, _): "the name \(host) cannot be resolved"
        default: "\(error)"
        }
    }
}
