internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerListeners
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1

/// One accepted connection: requests come out of `requests`, answers go in through `send`.
struct HTTPConnection: ServerChildChannelValue {
    let channel: any Channel
    let requests: AsyncStream<InboundRequest>

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
    /// `nil` where the connection is not encrypted.
    var tls: ServerTLS?
    let connections = OpenConnections()

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTPConnection> {
        ConnectionCaller.find(channel).flatMapThrowing { caller in
            let connections = connections
            connections.opened()
            channel.closeFuture.whenComplete { _ in connections.closed() }
            let (requests, continuation) = AsyncStream<InboundRequest>.makeStream()
            let gate = ByteGate()
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = options.headerLimit
            limits.maxHeaderListSize = options.headerLimit
            limits.maxHeaderFieldCount = 100
            let pipeline = channel.pipeline.syncOperations
            if let tls { try pipeline.addHandler(tls.handler()) }
            try pipeline.addHandler(gate)
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: true,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
            try pipeline.addHandler(
                RequestAssembler(
                    caller: caller, options: options, budget: budget, gate: gate, requests: continuation, door: responder.door))
            return HTTPConnection(channel: channel, requests: requests)
        }
    }

    /// Work ends with its connection. A peer that only ends its own half still gets its answer; whether it reads is known when writing
    /// fails.
    func handle(value connection: HTTPConnection, logger: Logger) async {
        await withTaskCancellationHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await request in connection.requests { await serve(request, on: connection) } }
                group.addTask { try? await connection.channel.closeFuture.get() }
                await group.next()
                group.cancelAll()
            }
        } onCancel: {
            connection.channel.close(promise: nil)
        }
    }

    private func serve(_ request: InboundRequest, on connection: HTTPConnection) async {
        let start = ContinuousClock.now
        var answer = await responder.answer(request, route: request.route)
        answer.reply.omitsBody = request.isHeadMethod
        answer.reply.closes = answer.reply.closes || request.refusal != nil || request.denial != nil
        var wasSent = true
        do { try await connection.send(answer.reply) } catch { wasSent = false }
        accessLog.record(
            AccessLog.Entry(
                method: request.head?.method, route: request.route, answer: answer, duration: start.duration(to: .now), wasSent: wasSent,
                wasCutShort: request.refusal == .bodyIncomplete))
    }
}

extension ByteBuffer {
    /// Overwrites the readable bytes in place, also where copies of this buffer share them: that is the point.
    fileprivate func overwrite() {
        withUnsafeReadableBytes { bytes in
            // The storage is heap memory of this process; only the API in front of it is read-only.
            ReleasedKeyBody.wipe(UnsafeMutableRawBufferPointer(mutating: bytes))
        }
    }
}
