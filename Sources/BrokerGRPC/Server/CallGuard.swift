internal import BrokerListeners
internal import GRPCCore
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

/// The first handler of a call: writes its connection's number into its head, and bounds its message before anybody keeps that.
final class CallGuard: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// What stands in front of a message (gRPC over HTTP2, "Length-Prefixed-Message").
    private static let prefix = 5
    /// Most bytes of a refused message that are read and thrown away before the call is cut.
    private static let discardLimit = 16 << 20

    private let number: UInt64
    private let share: String
    private let limit: Int
    private let budget: BodyBudget
    private var count = 0
    private var reserved = 0
    private var isRefused = false

    init(connection number: UInt64, share: String, limit: Int, budget: BodyBudget) {
        self.number = number
        self.share = share
        self.limit = limit
        self.budget = budget
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return discard(context, data) }
        switch unwrapInboundIn(data) {
        case .headers(var frame):
            frame.headers.remove(name: ConnectedCallers.field)
            frame.headers.add(name: ConnectedCallers.field, value: "\(number)")
            context.fireChannelRead(wrapInboundOut(.headers(frame)))
        case .data(let frame):
            count += frame.data.readableBytes
            guard count <= limit + Self.prefix else { return refuse(context, "the message is longer than \(limit) bytes") }
            let cost = max(0, count - BodyBudget.free) - reserved
            guard budget.take(cost, for: share) else { return refuse(context, "too many long messages at a time; come back later") }
            reserved += cost
            context.fireChannelRead(data)
        default: context.fireChannelRead(data)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        budget.give(reserved, of: share)
        reserved = 0
        context.fireChannelInactive()
    }

    /// A client that is cut while it sends may not look at its answer, so what it sends is thrown away, up to a point.
    private func discard(_ context: ChannelHandlerContext, _ data: NIOAny) {
        guard case .data(let frame) = unwrapInboundIn(data) else { return }
        count += frame.data.readableBytes
        if count > limit + Self.discardLimit { context.close(promise: nil) }
    }

    /// Answers in words: the transport cuts such a call without one.
    private func refuse(_ context: ChannelHandlerContext, _ message: String) {
        isRefused = true
        let code = RPCError.Code.resourceExhausted.rawValue
        let headers: HPACKHeaders = [
            ":status": "200", "content-type": "application/grpc", "grpc-status": "\(code)", "grpc-message": message,
        ]
        let answer = HTTP2Frame.FramePayload.headers(.init(headers: headers, endStream: true))
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
    }
}
