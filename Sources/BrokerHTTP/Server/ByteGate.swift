internal import NIOCore

/// The first handler of a connection: sees bytes before HTTP does.
///
/// It tells `RequestAssembler` when the first bytes of a request arrive, so that half-sent header fields can be timed. Once a request was
/// refused, it
/// throws away what still arrives: nothing is parsed or kept, and the peer, which may only read after it has written everything, gets its
/// answer.
final class ByteGate: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Fired once for each `awaitBytes()`.
    struct BytesArrived {}

    private enum Mode {
        case passing
        case discarding(remaining: Int)
    }

    private var mode = Mode.passing
    private var isAwaitingBytes = false
    private var isAnswered = false

    /// Asks for a `BytesArrived` event with the next bytes.
    func awaitBytes() { isAwaitingBytes = true }

    /// From now on nothing passes. The connection is cut after `limit` more bytes.
    func discard(upTo limit: Int) { if case .passing = mode { mode = .discarding(remaining: limit) } }

    /// Nothing more will be sent: the connection stays only for what the peer still sends.
    func lastAnswerWasSent() { isAnswered = true }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A shutdown does not wait for a peer that has its answer; the HTTP handlers would, for the end of the request.
        if event is ChannelShouldQuiesceEvent, isAnswered {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch mode {
        case .passing:
            if isAwaitingBytes {
                isAwaitingBytes = false
                context.fireUserInboundEventTriggered(BytesArrived())
            }
            context.fireChannelRead(data)
        case .discarding(let remaining):
            let left = remaining - unwrapInboundIn(data).readableBytes
            mode = .discarding(remaining: left)
            if left < 0 { context.close(promise: nil) }
        }
    }
}
