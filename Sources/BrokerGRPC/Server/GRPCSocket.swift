internal import BrokerConfiguration
internal import BrokerListeners
internal import GRPCNIOTransportHTTP2Posix
internal import NIOCore
internal import NIOPosix
internal import PlainText

/// A listening socket of the transport, on which it is known who connects.
struct GRPCSocket: HTTP2ServerTransport.ListenerFactory {
    let place: GRPCFrontEndOptions.Place
    /// `nil` where connections are not encrypted.
    let tls: ServerTLS?
    let limits: ConnectionLimits
    let callers: ConnectedCallers

    var eventLoopGroup: any EventLoopGroup { MultiThreadedEventLoopGroup.singleton }

    func makeListeningChannel(
        listenerConfigurator: HTTP2ServerTransport.ListenerConfigurator,
        connectionConfigurator: HTTP2ServerTransport.ConnectionConfigurator
    ) async throws -> NIOAsyncChannel<HTTP2ServerTransport.ConnectionConfigurator.ConnectionChannel, Never> {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { listenerConfigurator.configure(channel: $0) }
        let prepare: @Sendable (any Channel) -> EventLoopFuture<HTTP2ServerTransport.ConnectionConfigurator.ConnectionChannel> = {
            channel in
            self.prepare(channel).flatMap {
                connectionConfigurator.configure(channel: channel, tls: self.tls == nil ? .none : .configured(requireALPN: true))
            }
        }
        switch place {
        case .tcp(let tcp): return try await bootstrap.bind(host: tcp.host, port: tcp.port, childChannelInitializer: prepare)
        case .unix(let path): return try await bootstrap.bind(unixDomainSocketPath: path, childChannelInitializer: prepare)
        }
    }

    private func prepare(_ channel: any Channel) -> EventLoopFuture<Void> {
        limits.admit(connection: channel).flatMap { ConnectionCaller.find(channel) }.flatMapThrowing { caller in
            let pipeline = channel.pipeline.syncOperations
            if let tls { try pipeline.addHandler(tls.handler()) }
            try pipeline.addHandlers([SentBytesWipe(), callers.mark(caller, of: channel)])
        }
    }
}
