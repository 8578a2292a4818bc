internal import BrokerCore
internal import GRPCCore
internal import GRPCProtobuf
internal import Logging
internal import OpenSSLCrypto
internal import PlainText
internal import SwiftProtobuf
internal import Synchronization
internal import Waiting

/// Whether a shutdown has begun.
final class Drain: Sendable {
    private let flag = Atomic(false)

    var hasBegun: Bool { flag.load(ordering: .relaxed) }

    func begin() { flag.store(true, ordering: .relaxed) }
}

/// Runs the calls of one server: each has an identity, a line in the log, and an error that says what is wrong.
struct CallRunner: Sendable {
    let engine: any GRPCEngine
    let drain: Drain
    /// How long a client may take to send its request.
    let requestTimeout: Duration
    let logger: Logger

    /// Answers one unary call. `work` is cancelled when the client goes away or its deadline passes.
    func answer<Answer: Sendable>(
        _ call: ServerContext, _ metadata: Metadata, _ work: @escaping @Sendable (RequestContext) async throws(BrokerError) -> Answer
    ) async throws(RPCError) -> StreamingServerResponse<Answer> {
        let id = Self.requestID(metadata)
        let context = engine.makeContext(id: id)
        let start = ContinuousClock.now
        let result = await outcome(call) { () async throws(BrokerError) in try await work(context) }
        record(call.descriptor, id, result, start.duration(to: .now))
        var trailers: Metadata = ["x-request-id": .string(id)]
        switch result {
        case .success(let answer):
            if engine.provenance == .fixture { trailers.addString(engine.provenance.rawValue, forKey: "x-evidence-provenance") }
            return StreamingServerResponse(single: ServerResponse(message: answer, trailingMetadata: trailers))
        case .failure(let error):
            var failure = RPCError(GRPCAnswer.error(error, requestID: id))
            failure.metadata.addString(id, forKey: "x-request-id")
            throw failure
        }
    }

    private func outcome<Answer: Sendable>(
        _ call: ServerContext, _ work: @escaping @Sendable () async throws(BrokerError) -> Answer
    ) async -> Result<Answer, BrokerError> {
        let task = Task { () async -> Result<Answer, BrokerError> in
            do throws(BrokerError) { return .success(try await work()) } catch { return .failure(error) }
        }
        return await withTaskCancellationHandler {
            await withRPCCancellationHandler {
                await task.value
            } onCancelRPC: {
                // The transport says so also of a shutdown, in which calls in progress end as they would.
                if !drain.hasBegun { task.cancel() }
            }
        } onCancel: {
            task.cancel()
        }
    }

    /// The one message of a request; a client that does not finish it is not waited for.
    func received<Input: Sendable>(_ request: StreamingServerRequest<Input>) async throws -> ServerRequest<Input> {
        do {
            return try await withDeadline(.after(requestTimeout)) { () async throws in try await ServerRequest(stream: request) }
        } catch let error as RPCError { throw error } catch {
            throw RPCError(code: .deadlineExceeded, message: "the request did not arrive within \(requestTimeout)")
        }
    }

    // MARK: Log

    /// One line for each call, made of closed sets and the broker's own words: clients drop the text of an error.
    private func record<Answer>(_ method: MethodDescriptor, _ id: String, _ result: Result<Answer, BrokerError>, _ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var line: Logger.Metadata = [
            "method": "\(method.method)", "service": "\(method.service.fullyQualifiedService)", "request_id": "\(id)",
            "duration_ms": "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)", "code": "ok",
        ]
        if case .failure(let error) = result {
            line["code"] = "\(error.code.rawValue)"
            line["stage"] = "\(error.stage.rawValue)"
            line["retryable"] = "\(error.isRetryable)"
            line["error"] = "\(VisibleText.line(error.message, limit: 500))"
            if let details = error.details {
                line["cause"] = "\(VisibleText.line(details.cause))"
                line["explanation"] = "\(VisibleText.line(details.summary, limit: 500))"
            }
        }
        logger.info("call", metadata: line)
    }

    /// The caller's `x-request-id` where it is harmless in a log, otherwise a new one.
    private static func requestID(_ metadata: Metadata) -> String {
        var given = metadata[stringValues: "x-request-id"].makeIterator()
        guard let id = given.next(), given.next() == nil, id.utf8.consists(of: .alphanumeric + "._-", count: 1...64) else {
            return SecureRandom.uuid()
        }
        return id
    }
}

extension RPCRouter {
    /// Registers a unary method.
    mutating func register<Input: Sendable, Output: Sendable>(
        _ service: String, _ method: String, _ deserializer: some MessageDeserializer<Input>, _ serializer: some MessageSerializer<Output>,
        _ runner: CallRunner, _ answer: @escaping @Sendable (Input, RequestContext) async throws(BrokerError) -> Output
    ) {
        let descriptor = MethodDescriptor(fullyQualifiedService: service, method: method)
        registerHandler(forMethod: descriptor, deserializer: deserializer, serializer: serializer) { request, context in
            let single = try await runner.received(request)
            return try await runner.answer(context, single.metadata) { (requestContext) async throws(BrokerError) in
                try await answer(single.message, requestContext)
            }
        }
    }

    /// Registers a unary method whose messages are of no interest to an attacker.
    mutating func register<Input: Message, Output: Message>(
        _ service: String, _ method: String, _ runner: CallRunner,
        _ answer: @escaping @Sendable (Input, RequestContext) async throws(BrokerError) -> Output
    ) { register(service, method, ProtobufDeserializer<Input>(), ProtobufSerializer<Output>(), runner, answer) }
}
