internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerListeners
internal import HTTPTransport
internal import NIOCore
internal import NIOHTTP1
internal import NIOTLS
internal import PlainText

/// The last handler of a connection: turns HTTP parts into whole requests and whole answers into HTTP parts.
///
/// `RequestAssembly` decides; this carries out. `HTTPServerPipelineHandler` in front of it hands over one request at a time and stops
/// reading while an
/// answer is outstanding, so a connection holds at most one body and what the system had already received.
final class RequestAssembler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Reply
    typealias OutboundOut = HTTPServerResponsePart

    private var assembly: RequestAssembly
    private let gate: ByteGate
    private let options: HTTPFrontEndOptions
    private let requests: AsyncStream<InboundRequest>.Continuation
    private var clock: Scheduled<Void>?

    init(
        caller: Caller, options: HTTPFrontEndOptions, budget: BodyBudget, gate: ByteGate,
        requests: AsyncStream<InboundRequest>.Continuation,
        door: @escaping @Sendable (HTTPRequestHead, Caller) -> (caller: Caller, denial: BrokerError?)
    ) {
        self.assembly = RequestAssembly(
            caller: caller, bodyLimit: options.bodyLimit, headerLimit: options.headerLimit, budget: budget, door: door)
        self.gate = gate
        self.options = options
        self.requests = requests
    }

    func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { perform(assembly.opened(), context) } }

    func channelActive(context: ChannelHandlerContext) {
        perform(assembly.opened(), context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { finish() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): perform(assembly.received(head), context)
        case .body(let part): perform(assembly.received(part), context)
        case .end: perform(assembly.receivedEnd(), context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted:
            if let subject = ServerTLS.clientSubject(context.pipeline) { assembly.identified(subject) }
        case is ByteGate.BytesArrived: perform(assembly.bytesArrived(), context)
        case ChannelEvent.inputClosed: perform(assembly.inputClosed(), context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? HTTPParserError {
            perform(assembly.failed(error), context)
        } else {
            // The socket failed: nothing more can be said to the peer.
            context.close(promise: nil)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let reply = unwrapOutboundIn(data)
        // Decided before the parts are written: writing the end can hand over the next request.
        let (closes, actions) = assembly.answers(closing: reply.closes)
        perform(actions, context)
        context.write(wrapOutboundOut(.head(head(of: reply, closes: closes))), promise: nil)
        if !reply.omitsBody, reply.body.readableBytes > 0 { context.write(wrapOutboundOut(.body(.byteBuffer(reply.body))), promise: nil) }
        let sent = promise ?? context.eventLoop.makePromise(of: Void.self)
        let bound = context.loopBound
        // A peer that pipelines and never reads would otherwise hold the connection: reading the next request stops the other clock.
        let patience = context.eventLoop.scheduleTask(in: TimeAmount(options.idleTimeout)) { bound.value.close(promise: nil) }
        let boundGate = NIOLoopBound(gate, eventLoop: context.eventLoop)
        sent.futureResult.whenComplete { _ in
            patience.cancel()
            guard closes else { return }
            boundGate.value.lastAnswerWasSent()
            // Half-closed first: a full close with unread input would reset the connection and lose the answer.
            bound.value.close(mode: .output, promise: nil)
        }
        context.write(wrapOutboundOut(.end(nil)), promise: sent)
    }

    private func head(of reply: Reply, closes: Bool) -> HTTPResponseHead {
        var headers = HTTPHeaders()
        headers.add(name: "Content-Type", value: reply.contentType)
        headers.add(name: "Content-Length", value: String(reply.body.readableBytes))
        headers.add(name: "Date", value: HTTPDate.now())
        for (name, value) in reply.headers { headers.add(name: name, value: value) }
        if closes { headers.add(name: "Connection", value: "close") }
        return HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: reply.status), headers: headers)
    }

    private func perform(_ actions: [RequestAssembly.Action], _ context: ChannelHandlerContext) {
        for action in actions {
            switch action {
            case .start(let clock): start(clock, context)
            case .stopClock:
                clock?.cancel()
                clock = nil
            case .deliver(let request): requests.yield(request)
            case .sendContinue:
                let head = HTTPResponseHead(version: .http1_1, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            case .discard(let limit): gate.discard(upTo: limit ?? options.discardLimit)
            case .close: context.close(promise: nil)
            }
        }
    }

    private func start(_ kind: RequestAssembly.Clock, _ context: ChannelHandlerContext) {
        clock?.cancel()
        let duration: Duration
        switch kind {
        case .head: duration = options.headerTimeout
        case .body, .discard: duration = options.bodyTimeout
        case .idle:
            duration = options.idleTimeout
            gate.awaitBytes()
        }
        clock = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(duration)) {
            self.clock = nil
            self.perform(self.assembly.ranOut(kind), context)
        }
    }

    private func finish() {
        clock?.cancel()
        clock = nil
        assembly.closed()
        requests.finish()
    }
}
