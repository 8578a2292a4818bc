internal import NIOCore
internal import NIOHTTP1

/// One connection: a request, its answer, the next request. Reconnects where the server closes.
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let index: Int
    private let run: LoadRun
    private var number = 0
    private var due = ContinuousClock.now
    private var status: Int?
    private var isWaiting = false
    private var timeout: Scheduled<Void>?

    init(index: Int, run: LoadRun) {
        self.index = index
        self.run = run
    }

    func channelActive(context: ChannelHandlerContext) {
        // With a rate, a connection that was lost goes on with the next request that is due, not with those it missed.
        while let planned = run.due(number, of: index), planned < .now.advanced(by: .milliseconds(-1)) { number += 1 }
        next(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body: break
        case .end:
            guard let status else { return }
            self.status = nil
            isWaiting = false
            timeout?.cancel()
            run.answered(status, due: due)
            next(context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        run.failed(error is HTTPParserError ? "malformed answer" : "connection error")
        isWaiting = false
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        if isWaiting { run.failed("connection closed") }
        isWaiting = false
        Self.reconnect(index, run, on: context.eventLoop)
    }

    /// Tries again until the run is over.
    private static func reconnect(_ index: Int, _ run: LoadRun, on loop: any EventLoop) {
        guard !run.isOver else { return }
        LoadGenerator.connect(index, run, on: loop).whenFailure { _ in
            run.failed("connection refused")
            loop.scheduleTask(in: .milliseconds(50)) { reconnect(index, run, on: loop) }
        }
    }

    private func next(_ context: ChannelHandlerContext) {
        guard !run.isOver else {
            context.close(promise: nil)
            return
        }
        guard let planned = run.due(number, of: index) else {
            due = .now
            send(context)
            return
        }
        due = planned
        number += 1
        let delay = ContinuousClock.now.duration(to: planned)
        guard delay > .zero else {
            send(context)
            return
        }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: TimeAmount(delay)) {
            let (connection, context) = bound.value
            if context.channel.isActive { connection.send(context) }
        }
    }

    private func send(_ context: ChannelHandlerContext) {
        let plan = run.plan
        var head = HTTPRequestHead(version: .http1_1, method: .init(rawValue: plan.method), uri: plan.path)
        head.headers.add(name: "Host", value: plan.authority)
        if !plan.body.isEmpty {
            head.headers.add(name: "Content-Type", value: "application/json")
            head.headers.add(name: "Content-Length", value: String(plan.body.count))
        }
        isWaiting = true
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !plan.body.isEmpty { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: plan.body)))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timeout = context.eventLoop.scheduleTask(in: TimeAmount(plan.timeout)) {
            let (connection, context) = bound.value
            connection.run.failed("no answer in time")
            connection.isWaiting = false
            context.close(promise: nil)
        }
    }
}
