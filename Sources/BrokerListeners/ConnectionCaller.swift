package import BrokerCore
internal import BrokerEngine
package import NIOCore

/// Whose connection this is.
package enum ConnectionCaller {
    /// Asked once for each connection, on its event loop.
    package static func find(_ channel: any Channel) -> EventLoopFuture<Caller> {
        switch channel.remoteAddress {
        case .v4, .v6:
            var caller = Caller(.tcp)
            caller.address = channel.remoteAddress?.ipAddress
            return channel.eventLoop.makeSucceededFuture(caller)
        case .unixDomainSocket, nil:
            guard let socket = channel as? any SocketOptionProvider else { return channel.eventLoop.makeSucceededFuture(Caller(.unix)) }
            let peer: EventLoopFuture<PeerCredentials> = socket.unsafeGetSocketOption(
                level: .socket, name: .init(rawValue: PeerCredentials.option))
            return peer.map { Caller($0) }.recover { _ in Caller(.unix) }
        }
    }
}
