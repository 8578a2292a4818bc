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
    let callers: CallerRule

    func answer(_ request: InboundRequest, route: Route?) async -> Answer {
        let id = Self.requestID(request.head?.headers["x-request-id"] ?? [])
        var answer = await outcome(of: request, route: route, id: id)
        answer.reply.headers.append(("X-Request-Id", id))
        return answer
    }

    private func outcome(of request: InboundRequest, route: Route?, id: String) async -> Answer {
        do throws(Refusal) {
            if let refusal = request.refusal { throw refusal }
            guard let head = request.head else { throw Refusal.malformedHTTP }
            try callers.check(head)
        } catch { return errors.answer(error, requestID: id) }
        guard let route else { return Answer(reply: .notFound, requestID: id, code: "notFound") }
        do { return Answer(reply: try await reply(to: request.body, route: route, id: id), requestID: id) } catch {
            switch error {
            case .refused(let refusal): return errors.answer(refusal, requestID: id)
            case .failed(let error, let question): return errors.answer(error, to: question, requestID: id)
            }
        }
    }

    /// Why a route has no good answer.
    private enum Failure: Error {
        case refused(Refusal)
        case failed(BrokerError, CompatibleText.Question)
    }

    private func reply(to body: ByteBuffer, route: Route, id: String) async throws(Failure) -> Reply {
        switch route {
        case .status: return document([("message", "Status OK"), ("evidence", .string(engine.provenance.rawValue))] + notices)
        case .live: return document([("alive", true)])
        case .ready: return await readiness(in: engine.makeContext(id: id))
        case .attestRaw:
            let request = try decoding { () throws(Refusal) in try AttestBody(body, as: .rawAttest) }
            let evidence = try await asking(.evidence) { () async throws(BrokerError) in
                try await engine.rawEvidence(for: request.runtimeData, in: engine.makeContext(id: id))
            }
            return document([("report", .string(Hex.encode(evidence.report)))], from: evidence.provenance)
        case .attestCombined:
            let request = try decoding { () throws(Refusal) in try AttestBody(body, as: .rawAttest) }
            let evidence = try await asking(.evidence) { () async throws(BrokerError) in
                try await engine.combinedEvidence(for: request.runtimeData, in: engine.makeContext(id: id))
            }
            return document(CombinedEvidence.members(of: evidence), from: evidence.provenance)
        case .attestMAA:
            let request = try decoding { () throws(Refusal) in try AttestBody(body, as: .maaAttest) }
            let token = try await asking(.token(namesAuthority: request.authority != nil)) { () async throws(BrokerError) in
                try await engine.token(for: request.runtimeData, from: request.authority, in: engine.makeContext(id: id))
            }
            return document([("token", .string(token.compact))], from: engine.provenance)
        case .keyRelease:
            let request = try decoding { () throws(Refusal) in try ReleaseRequest(body: body) }
            let content = try await asking(.release(request.key)) { () async throws(BrokerError) in
                ReleasedKeyBody.encode(try await engine.release(request, in: engine.makeContext(id: id)))
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
        let obstacles = await engine.obstacles(in: context)
        return document(
            [
                ("ready", .boolean(obstacles.isEmpty)), ("reasons", .array(obstacles.map { .string($0) })),
                ("evidence", .string(engine.provenance.rawValue)),
            ] + notices, status: obstacles.isEmpty ? 200 : 503)
    }

    /// A member that is there only where there is something to say.
    private var notices: [(String, JSONValue)] {
        let notices = engine.notices()
        return notices.isEmpty ? [] : [("notices", .array(notices.map { .string($0) }))]
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
