internal import BrokerCore
internal import GRPCCore
internal import GRPCProtobuf
internal import HTTPTransport
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

/// Runs the calls of one server: each has a caller, an identity, a line in the log, and an error that says what is wrong.
struct CallRunner: Sendable {
    let engine: any GRPCEngine
    let callers: ConnectedCallers
    let drain: Drain
    /// How long a client may take to send its request.
    let requestTimeout: Duration
    let startsTraces: Bool
    let logger: Logger
    let onAnswer: @Sendable (GRPCFrontEnd.Answered) -> Void

    /// Answers one unary call. `work` is cancelled when the client goes away or its deadline passes. A caller that may not ask for
    /// `operation` is refused before its message is read.
    func answer<Input: Sendable, Answer: Sendable>(
        _ call: ServerContext, _ request: StreamingServerRequest<Input>, _ operation: RequestRecord.Operation?,
        _ work: @escaping @Sendable (Input, RequestContext) async throws(BrokerError) -> Answer
    ) async throws -> StreamingServerResponse<Answer> {
        // Only of a connection that has ended nobody knows whose it was.
        guard let peer = callers.caller(request.metadata) else { throw RPCError(code: .unavailable, message: "the connection has ended") }
        let (caller, denial) = door(peer, request.metadata, operation)
        let start = ContinuousClock.now
        let message = denial == nil ? try await received(request) : nil
        let record = record(of: call.descriptor, request.metadata, caller)
        let context = engine.makeContext(record)
        let result: Result<Answer, BrokerError>
        if let message {
            result = await traced(record.trace) { await outcome(call) { () async throws(BrokerError) in try await work(message, context) } }
        } else {
            let error = denial ?? BrokerError(.internal, at: .decode, "the call has no message")
            if let operation { engine.refused(operation, error, in: context) }
            result = .failure(error)
        }
        log(call.descriptor, context, operation, result, start.duration(to: .now))
        var trailers: Metadata = ["x-request-id": .string(context.id)]
        switch result {
        case .success(let answer):
            if engine.provenance == .fixture { trailers.addString(engine.provenance.rawValue, forKey: "x-evidence-provenance") }
            return StreamingServerResponse(single: ServerResponse(message: answer, trailingMetadata: trailers))
        case .failure(let error):
            await engine.rest(beforeRefusing: caller)
            var failure = RPCError(GRPCAnswer.error(error, requestID: context.id))
            failure.metadata.addString(context.id, forKey: "x-request-id")
            throw failure
        }
    }

    /// Whose call it is, and why it is not even read; `nil` where it is.
    private func door(_ peer: Caller, _ metadata: Metadata, _ operation: RequestRecord.Operation?) -> (caller: Caller, denial: BrokerError?)
    {
        guard let operation else { return (peer, nil) }
        do throws(BrokerError) {
            let caller = try engine.identify(peer, authorization: Array(metadata[stringValues: "authorization"]))
            return (caller, engine.refusal(of: caller, operation))
        } catch { return (peer, error) }
    }

    private func record(of method: MethodDescriptor, _ metadata: Metadata, _ caller: Caller) -> RequestRecord {
        var record = RequestRecord(requestID: Self.requestID(metadata), caller: caller)
        record.route = "/\(method.fullyQualifiedMethod)"
        let fields = Array(metadata[stringValues: "traceparent"])
        record.traceParent = fields.count == 1 ? TraceContext(traceparent: fields[0]) : nil
        record.trace = record.traceParent?.child() ?? (startsTraces ? TraceContext(isSampled: true) : nil)
        return record
    }

    private func traced<Value>(_ trace: TraceContext?, _ work: () async -> Value) async -> Value {
        guard let trace else { return await work() }
        return await trace.during(work)
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
    private func received<Input: Sendable>(_ request: StreamingServerRequest<Input>) async throws -> Input {
        do {
            return try await withDeadline(.after(requestTimeout)) { () async throws in try await ServerRequest(stream: request).message }
        } catch let error as RPCError { throw error } catch {
            throw RPCError(code: .deadlineExceeded, message: "the request did not arrive within \(requestTimeout)")
        }
    }

    // MARK: Log

    /// One line for each call, made of closed sets and the broker's own words: clients drop the text of an error. Where the engine's own
    /// line says the same, and of probes, only at level debug.
    private func log<Answer>(
        _ method: MethodDescriptor, _ context: RequestContext, _ operation: RequestRecord.Operation?, _ result: Result<Answer, BrokerError>,
        _ duration: Duration
    ) {
        let record = context.recorder.record
        var code = "ok"
        if case .failure(let error) = result { code = error.code.rawValue }
        onAnswer(GRPCFrontEnd.Answered(method: record.route, code: code))
        let (seconds, attoseconds) = duration.components
        var line: Logger.Metadata = [
            "method": "\(method.method)", "service": "\(method.service.fullyQualifiedService)", "request_id": "\(context.id)",
            "duration_ms": "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)", "code": "\(code)",
        ]
        var isTold = operation == nil || record.isComplete && record.error == nil
        if case .failure(let error) = result {
            isTold = record.isComplete && record.code == code
            line["stage"] = "\(error.stage.rawValue)"
            line["retryable"] = "\(error.isRetryable)"
            line["error"] = "\(VisibleText.line(error.message, limit: 500))"
            if let details = error.details {
                line["cause"] = "\(VisibleText.line(details.cause))"
                line["explanation"] = "\(VisibleText.line(details.summary, limit: 500))"
            }
        }
        logger.log(level: isTold ? .debug : .info, "call", metadata: line)
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
    /// Registers a unary method that asks the engine for `operation`, or for what everybody may know.
    mutating func register<Input: Sendable, Output: Sendable>(
        _ service: String, _ method: String, _ operation: RequestRecord.Operation?, _ deserializer: some MessageDeserializer<Input>,
        _ serializer: some MessageSerializer<Output>, _ runner: CallRunner,
        _ answer: @escaping @Sendable (Input, RequestContext) async throws(BrokerError) -> Output
    ) {
        registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: service, method: method), deserializer: deserializer, serializer: serializer
        ) { request, context in
            try await runner.answer(context, request, operation, answer)
        }
    }

    /// Registers a unary method whose messages are of no interest to an attacker.
    mutating func register<Input: Message, Output: Message>(
        _ service: String, _ method: String, _ operation: RequestRecord.Operation?, _ runner: CallRunner,
        _ answer: @escaping @Sendable (Input, RequestContext) async throws(BrokerError) -> Output
    ) { register(service, method, operation, ProtobufDeserializer<Input>(), ProtobufSerializer<Output>(), runner, answer) }
}
