internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerListeners
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Glibc
internal import Logging
internal import PlainText
internal import ServiceLifecycle

/// One listening socket and the server behind it.
struct GRPCListener: Sendable {
    let place: GRPCFrontEndOptions.Place
    let options: GRPCFrontEndOptions
    let services: [any RegistrableRPCService]
    let drain: Drain
    let logger: Logger

    /// Listens until a graceful shutdown has drained or the task is cancelled.
    func run(_ onListening: @escaping @Sendable (ListeningAddress) async -> Void) async throws(BrokerError) {
        var file: UnixSocketFile?
        let address: SocketAddress
        switch place {
        case .tcp(let tcp): address = try resolved(tcp)
        case .unix(let path):
            file = try UnixSocketFile.claim(path, setting: "server.grpc-unix")
            address = .unixDomainSocket(path: path)
        }
        let socket = file
        defer { socket?.remove() }
        let limits = ConnectionLimits(options: options, isTLS: isTLS, logger: logger)
        let transport = HTTP2ServerTransport.Posix(
            address: address, transportSecurity: isTLS ? try security() : .plaintext, config: limits.configuration)
        let server = GRPCServer(transport: transport, services: services)
        do {
            try await withGracefulShutdownHandler {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await server.serve() }
                    // Without one the server says why.
                    if let bound = try? await transport.listeningAddress { await started(bound, socket, onListening) }
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
        _ bound: SocketAddress, _ file: UnixSocketFile?, _ onListening: @Sendable (ListeningAddress) async -> Void
    ) async {
        switch place {
        case .unix(let path):
            file?.restrict(to: options.socketFile, logger: logger)
            await onListening(.unix(path: path))
        case .tcp(let tcp):
            let address = HostAndPort(host: tcp.host, port: bound.ipv4?.port ?? bound.ipv6?.port ?? tcp.port)
            if !tcp.isLoopback, options.tls?.clientAuthorities == nil {
                logger.warning(
                    """
                    listening beyond this machine: everybody who can reach this address can have images decrypted. Callers are not \
                    authenticated. Set grpc.tls-client-ca, or server.grpc to a loopback address
                    """, metadata: ["address": "\(address)"])
            }
            await onListening(.tcp(address))
        }
    }

    private var isTLS: Bool { if case .tcp = place { options.tls != nil } else { false } }

    /// TLS 1.2 or later; with an authority for clients, whoever shows no certificate of it is turned away in the handshake.
    private func security() throws(BrokerError) -> HTTP2ServerTransport.Posix.TransportSecurity {
        guard let files = options.tls else { return .plaintext }
        for path in [files.certificate, files.key] + (files.clientAuthorities.map { [$0] } ?? []) {
            guard access(path, R_OK) == 0 else {
                throw BrokerError(.misconfigured, at: .startup, "grpc: \(path): \(String(cString: strerror(errno)))")
            }
        }
        let (chain, key) = ([TLSConfig.CertificateSource.file(path: files.certificate, format: .pem)], files.key)
        guard let authorities = files.clientAuthorities else {
            return .tls(certificateChain: chain, privateKey: .file(path: key, format: .pem)) { $0.requireALPN = true }
        }
        return .mTLS(certificateChain: chain, privateKey: .file(path: key, format: .pem)) { config in
            config.requireALPN = true
            config.trustRoots = .certificates([.file(path: authorities, format: .pem)])
            // A client's name is no host's.
            config.clientCertificateVerification = .noHostnameVerification
        }
    }

    /// The address of a host: the transport takes none by name.
    private func resolved(_ tcp: HostAndPort) throws(BrokerError) -> SocketAddress {
        guard let host = NetworkAddress.resolve(tcp) else {
            throw BrokerError(.misconfigured, at: .startup, "server.grpc: the name \(tcp.host) cannot be resolved")
        }
        return host.contains(":") ? .ipv6(host: host, port: tcp.port) : .ipv4(host: host, port: tcp.port)
    }

    private static func reason(_ error: any Error) -> String {
        // The transport wraps what the system said.
        switch error {
        case let error as RuntimeError: error.cause.map { reason($0) } ?? error.message
        default: NetworkAddress.reason(error)
        }
    }
}
