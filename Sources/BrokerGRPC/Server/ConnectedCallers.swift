internal import BrokerCore
internal import BrokerListeners
internal import GRPCCore
internal import NIOCore
internal import Synchronization

/// Who is at the other end of each connection (Callers.md, "Who a caller is").
///
/// The transport tells a call nothing of its connection that a Unix socket has. So each connection gets a number, and its calls carry that
/// in a header field, which is taken out of what the client sent.
final class ConnectedCallers: Sendable {
    static let field = "x-broker-connection"

    private struct State {
        var last: UInt64 = 0
        var callers: [UInt64: Caller] = [:]
    }

    private let state = Mutex(State())

    /// A handler for the connection that remembers its number until it is closed.
    func mark(_ caller: Caller, of connection: any Channel) -> ConnectionMark {
        let number = state.withLock { state in
            state.last += 1
            state.callers[state.last] = caller
            return state.last
        }
        connection.closeFuture.whenComplete { _ in self.state.withLock { _ = $0.callers.removeValue(forKey: number) } }
        return ConnectionMark(number)
    }

    /// Whose call this is; `nil` where its connection has ended.
    func caller(_ metadata: Metadata) -> Caller? {
        var fields = metadata[stringValues: Self.field].makeIterator()
        guard let number = fields.next().flatMap({ UInt64($0) }) else { return nil }
        return state.withLock { $0.callers[number] }
    }

    /// Number of a call's connection, and whom it is counted for; on the event loop of both.
    func connection(of call: any Channel) throws -> (number: UInt64, share: String) {
        guard let connection = call.parent else { throw ChannelError.ioOnClosedChannel }
        let mark = try connection.pipeline.syncOperations.handler(type: ConnectionMark.self)
        // A client's certificate is known since the handshake, which is over when there is a call.
        if !mark.isComplete {
            mark.isComplete = true
            let subject = ServerTLS.clientSubject(connection.pipeline)
            if let subject { state.withLock { $0.callers[mark.number]?.subject = subject } }
        }
        return (mark.number, state.withLock { $0.callers[mark.number]?.share } ?? "")
    }
}

/// Stands for a connection's number in its pipeline.
final class ConnectionMark: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    let number: UInt64
    var isComplete = false

    init(_ number: UInt64) { self.number = number }
}
