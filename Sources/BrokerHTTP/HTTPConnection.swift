internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1

/// One accepted connection: requests come out of `requests`, answers go in through `send`.
struct HTTPConnection: ServerChildChannelValue {
    let channel: any Channel
    let requests: AsyncStream<InboundRequest>
    let disconnection: Disconnection

    /// Sends an answer and returns when the system has taken all of it. A secret body is overwritten then, sent or not.
    func send(_ reply: Reply) async throws {
        defer { if reply.isSecret { reply.body.overwrite() } }
        try await channel.writeAndFlush(reply)
    }
}

/// Sets connections up for one listener and runs their requests, one after the other.
struct HTTPConnectionSetup: ServerChildChannel {
    let options: HTTPFrontEndOptions
    let budget: BodyBudget
    let responder: Responder
    let accessLog: AccessLog

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTPConnection> {
        channel.eventLoop.makeCompletedFuture {
            let (requests, continuation) = AsyncStream<InboundRequest>.makeStream()
            let disconnection = Disconnection()
            let gate = ByteGate()
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = options.headerLimit
            limits.maxHeaderListSize = options.headerLimit
            limits.maxHeaderFieldCount = 100
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(gate)
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: true,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
            try pipeline.addHandler(
                RequestAssembler(
                    options: options, budget: budget, gate: gate, requests: continuation, disconnection: disconnection,
                    readyAnswer: { readyAnswer(to: $0, disconnection) }))
            return HTTPConnection(channel: channel, requests: requests, disconnection: disconnection)
        }
    }

    func handle(value connection: HTTPConnection, logger: Logger) async {
        await withTaskCancellationHandler {
            for await request in connection.requests {
                await serve(request, on: connection)
            }
        } onCancel: {
            connection.channel.close(promise: nil)
        }
    }

    /// Releases that there is no room for are answered on the event loop, so that turning them away takes little from those that are admitted.
    private func readyAnswer(to request: InboundRequest, _ disconnection: Disconnection) -> ReadyAnswer? {
        let start = ContinuousClock.now
        let route = request.route
        guard let answer = responder.refusalOfRelease(request, route: route) else { return nil }
        let method = request.head?.method
        return ReadyAnswer(reply: answer.reply) { wasSent in
            accessLog.record(
                AccessLog.Entry(
                    method: method, route: route, answer: answer, duration: start.duration(to: .now), wasSent: wasSent,
                    peerLeft: disconnection.hasHappened))
        }
    }

    private func serve(_ request: InboundRequest, on connection: HTTPConnection) async {
        let start = ContinuousClock.now
        let route = request.route
        var answer: Answer
        if route?.isSlow == true {
            let work = Task { await responder.answer(request, route: route) }
            connection.disconnection.whenHappens { work.cancel() }
            answer = await withTaskCancellationHandler {
                await work.value
            } onCancel: {
                work.cancel()
            }
            connection.disconnection.whenHappens(nil)
        } else {
            answer = await responder.answer(request, route: route)
        }
        answer.reply.omitsBody = request.isHeadMethod
        answer.reply.closes = answer.reply.closes || request.refusal != nil
        var wasSent = true
        do { try await connection.send(answer.reply) } catch { wasSent = false }
        accessLog.record(
            AccessLog.Entry(
                method: request.head?.method, route: route, answer: answer, duration: start.duration(to: .now),
                wasSent: wasSent, peerLeft: connection.disconnection.hasHappened))
    }
}

extension InboundRequest {
    /// The route, where the request got far enough to have one.
    var route: Route? {
        guard let head else { return nil }
        return Route.matching(method: head.method.rawValue, target: RequestTarget(head.uri))
    }
}

extension ByteBuffer {
    /// Overwrites the readable bytes in place, also where copies of this buffer share them: that is the point.
    fileprivate func overwrite() {
        withUnsafeReadableBytes { bytes in
            // The storage is heap memory of this process; only the API in front of it is read-only.
            SecretBody.wipe(UnsafeMutableRawBufferPointer(mutating: bytes))
        }
    }
}
