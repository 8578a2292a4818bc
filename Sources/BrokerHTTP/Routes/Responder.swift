internal import BrokerCore
internal import BrokerEngine
internal import HTTPTransport
internal import NIOCore
internal import NIOHTTP1
internal import OpenSSLCrypto
internal import PlainText
internal import SecureMemory
internal import StrictJSON

/// Answers whole requests.
struct Responder: Sendable {
    let engine: any RequestEngine
    let errors: ErrorAnswers
    let hosts: HostRule
    let startsTraces: Bool

    /// Whose request with this head it is, and why it is not read any further; `nil` where it is.
    @Sendable func door(_ head: HTTPRequestHead, _ caller: Caller) -> (caller: Caller, denial: BrokerError?) {
        let route = Route.matching(method: head.method.rawValue, target: RequestTarget(head.uri))
        guard let operation = route?.operation else { return (caller, nil) }
        do throws(BrokerError) {
            let named = try engine.identify(caller, authorization: head.headers["authorization"])
            return (named, engine.refusal(of: named, operation))
        } catch { return (caller, error) }
    }

    func answer(_ request: InboundRequest, route: Route?) async -> Answer {
        let id = Self.requestID(request.head?.headers["x-request-id"] ?? [])
        var answer = await outcome(of: request, route: route, id: id)
        answer.reply.headers.append(("X-Request-Id", id))
        // Not of a probe: that the broker is not ready is news, and refuses nobody.
        if answer.reply.status >= 400, route != .ready { await engine.rest(beforeRefusing: request.caller) }
        return answer
    }

    private func outcome(of request: InboundRequest, route: Route?, id: String) async -> Answer {
        do throws(Refusal) {
            if let refusal = request.refusal { throw refusal }
            guard let head = request.head else { throw Refusal.malformedHTTP }
            try hosts.check(head)
        } catch { return errors.answer(error, requestID: id) }
        guard let route else { return Answer(reply: .notFound, requestID: id, code: "notFound") }
        let record = record(of: request, route: route, id: id)
        let context = engine.makeContext(record)
        if let denial = request.denial, let operation = route.operation {
            engine.refused(operation, denial, in: context)
            var answer = errors.answer(denial, to: .unread, requestID: id)
            answer.isRecorded = context.recorder.record.isComplete
            return answer
        }
        var answer: Answer
        do throws(Failure) {
            let reply = try await traced(record.trace) { () async throws(Failure) in
                try await self.reply(to: request.body, route: route, in: context)
            }
            answer = Answer(reply: reply, requestID: id)
        } catch {
            switch error {
            case .refused(let refusal): answer = errors.answer(refusal, requestID: id)
            case .failed(let error, let question): answer = errors.answer(error, to: question, requestID: id)
            }
        }
        answer.isRecorded = context.recorder.record.isComplete
        return answer
    }

    private func record(of request: InboundRequest, route: Route, id: String) -> RequestRecord {
        var record = RequestRecord(requestID: id, caller: request.caller)
        record.route = "\(route.method) \(route.rawValue)"
        let fields = request.head?.headers["traceparent"] ?? []
        record.traceParent = fields.count == 1 ? TraceContext(traceparent: fields[0]) : nil
        record.trace = record.traceParent?.child() ?? (startsTraces ? TraceContext(isSampled: true) : nil)
        return record
    }

    private func traced(_ trace: TraceContext?, _ work: () async throws(Failure) -> Reply) async throws(Failure) -> Reply {
        guard let trace else { return try await work() }
        return try await trace.during(work)
    }

    /// Why a route has no good answer.
    private enum Failure: Error {
        case refused(Refusal)
        case failed(BrokerError, CompatibleText.Question)
    }

    private func reply(to body: ByteBuffer, route: Route, in context: RequestContext) async throws(Failure) -> Reply {
        switch route {
        case .status: return document([("message", "Status OK"), ("evidence", .string(engine.provenance.rawValue))] + notices)
        case .live: return document([("alive", true)])
        case .ready: return await readiness(in: context)
        case .attestRaw:
            let request = try decoding { () throws(Refusal) in try AttestBody(body, as: .rawAttest) }
            let evidence = try await asking(.evidence) { () async throws(BrokerError) in
                try await engine.rawEvidence(for: request.runtimeData, in: context)
            }
            return document([("report", .string(Hex.encode(evidence.report)))], from: evidence.provenance)
        case .attestCombined:
            let request = try decoding { () throws(Refusal) in try AttestBody(body, as: .rawAttest) }
            let evidence = try await asking(.evidence) { () async throws(BrokerError) in
                try await engine.combinedEvidence(for: request.runtimeData, in: context)
            }
            return document(CombinedEvidence.members(of: evidence), from: evidence.provenance)
        case .attestMAA:
            let request = try decoding { () throws(Refusal) in try AttestBody(body, as: .maaAttest) }
            let token = try await asking(.token(namesAuthority: request.authority != nil)) { () async throws(BrokerError) in
                try await engine.token(for: request.runtimeData, from: request.authority, in: context)
            }
            return document([("token", .string(token.compact))], from: engine.provenance)
        case .attestVerdict:
            let request = try decoding { () throws(Refusal) in try AttestBody(body, as: .rawAttest) }
            let judgement = try await asking(.evidence) { () async throws(BrokerError) in
                try await engine.verdict(for: request.runtimeData, in: context)
            }
            return document(VerdictDocument.members(of: judgement), from: engine.provenance)
        case .keyRelease:
            let request = try decoding { () throws(Refusal) in try ReleaseRequest(body: body) }
            let content = try await asking(.release(request.key)) { () async throws(BrokerError) in
                ReleasedKeyBody.encode(try await engine.release(request, in: context))
            }
            var reply = Reply.json(200, content)
            reply.isSecret = true
            reply.headers = Self.provenanceFields(engine.provenance)
            return reply
        }
    }

    private func decoding<Value>(_ decode: () throws(Refusal) -> Value) throws(Failure) -> Value {
        do { return try decode() } catch { throw .refused(error) }
    }

    private func asking<Value>(_ question: CompatibleText.Question, _ work: () async throws(BrokerError) -> Value) async throws(Failure)
        -> Value
    { do { return try await work() } catch { throw .failed(error, question) } }

    private func readiness(in context: RequestContext) async -> Reply {
        let readiness = await engine.readiness(in: context)
        var members: [(String, JSONValue)] = [
            ("ready", .boolean(readiness.isReady)), ("reasons", .array(readiness.obstacles.map { .string($0) })),
            ("evidence", .string(readiness.provenance.rawValue)),
        ]
        if !readiness.upstreams.isEmpty { members.append(("upstreams", .array(readiness.upstreams.map(Self.upstream)))) }
        return document(members + notices, status: readiness.isReady ? 200 : 503)
    }

    /// A member that is there only where there is something to say.
    private var notices: [(String, JSONValue)] {
        let notices = engine.notices()
        return notices.isEmpty ? [] : [("notices", .array(notices.map { .string($0) }))]
    }

    /// A service with which something is the matter.
    private static func upstream(_ state: UpstreamState) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("name", .string(state.name)), ("purpose", .string(state.purpose.rawValue)), ("state", .string(state.state.rawValue)),
        ]
        if let reason = state.reason { members.append(("reason", .string(reason))) }
        if let delay = state.retryAfter { members.append(("retry_after", .integer(ErrorAnswers.wholeSeconds(delay)))) }
        return .object(JSONObject(members))
    }

    private func document(_ members: [(String, JSONValue)], status: Int = 200, from provenance: Evidence.Provenance = .hardware) -> Reply {
        var reply = Reply.json(status, JSONValue.object(JSONObject(members)).serialized())
        reply.headers = Self.provenanceFields(provenance)
        return reply
    }

    /// The original's bodies have no room for it, so fixture evidence says in a header field what it is.
    private static func provenanceFields(_ provenance: Evidence.Provenance) -> [(name: String, value: String)] {
        switch provenance {
        case .hardware: []
        case .fixture: [("X-Evidence-Provenance", provenance.rawValue)]
        }
    }

    /// The caller's `x-request-id` where it is harmless in a log and a header: 1 to 64 letters, digits, `.`, `_` and `-`. Otherwise a new
    /// one.
    static func requestID(_ fields: [String]) -> String {
        guard fields.count == 1, let id = fields.first, id.utf8.consists(of: .alphanumeric + "._-", count: 1...64) else {
            return SecureRandom.uuid()
        }
        return id
    }
}
