internal import BrokerConfiguration
internal import BrokerListeners
internal import GRPCNIOTransportHTTP2Posix
internal import Logging
internal import NIOCore
internal import Synchronization

/// What one listener allows its clients: connections, calls at a time, the size of a message, and idleness.
final class ConnectionLimits: Sendable {
    /// Calls at a time of one connection.
    private static let callsPerConnection = 64

    private let options: GRPCFrontEndOptions
    private let logger: Logger
    private let connections: ChannelCount
    private let calls: ChannelCount
    private let budget: BodyBudget
    private let callers: ConnectedCallers

    init(options: GRPCFrontEndOptions, callers: ConnectedCallers, budget: BodyBudget, logger: Logger) {
        self.options = options
        self.callers = callers
        self.budget = budget
        connections = ChannelCount(limit: options.connectionLimit)
        calls = ChannelCount(limit: options.callLimit)
        self.logger = logger
    }

    var configuration: HTTP2ServerTransport.Custom<GRPCSocket>.Config {
        var config = HTTP2ServerTransport.Custom<GRPCSocket>.Config.defaults
        // `CallGuard` bounds messages: the transport would cut a call whose message says that it is longer, without a word.
        config.rpc.maxRequestPayloadSize = Int(Int32.max)
        config.http2.maxConcurrentStreams = Self.callsPerConnection
        config.connection.maxIdleTime = options.idleTimeout
        config.connection.keepalive.time = .seconds(60)
        config.channelDebuggingCallbacks.onBindTCPListener = { channel in self.prepare(listener: channel) }
        config.channelDebuggingCallbacks.onAcceptHTTP2Stream = { channel in
            self.calls.admit(channel).flatMapThrowing {
                let (number, share) = try self.callers.connection(of: channel)
                let guarding = CallGuard(connection: number, share: share, limit: self.options.messageLimit, budget: self.budget)
                try channel.pipeline.syncOperations.addHandler(guarding, position: .first)
            }
        }
        return config
    }

    func admit(connection channel: any Channel) -> EventLoopFuture<Void> { connections.admit(channel) }

    private func prepare(listener channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(AcceptBackoff(logger: self.logger), position: .first)
        }
    }
}

/// Counts channels for as long as they are open. One too many is closed at once.
private final class ChannelCount: Sendable {
    private struct Full: Error {}

    private let limit: Int
    private let count = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    func admit(_ channel: any Channel) -> EventLoopFuture<Void> {
        let count = count.add(1, ordering: .relaxed).newValue
        channel.closeFuture.whenComplete { _ in self.count.subtract(1, ordering: .relaxed) }
        if count <= limit { return channel.eventLoop.makeSucceededVoidFuture() }
        channel.close(promise: nil)
        return channel.eventLoop.makeFailedFuture(Full())
    }
}
