internal import HTTPTransport
internal import StrictJSON

/// Answers of a scripted authority that carry no token, and answers that spoil one.
enum AuthorityRefusal {
    static func answer(for how: AuthorityMisbehaviour?, to request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse? {
        switch how {
        case .badRequest: return error(400, "PolicyEvaluationError", "a deny claim was issued")
        case .unauthorized: return error(401, "Unauthorized", "no role")
        case .forbidden: return error(403, "Forbidden", "not here")
        case .throttled:
            var answer = error(429, "TooManyRequests", "slow down")
            answer.headers.append(("retry-after", "7"))
            return answer
        case .serverError: return error(500, "InternalServerError", "oops")
        case .badGateway: return HTTPResponse(status: 502, body: Array("<html>bad gateway</html>".utf8))
        case .requestTimeout: return HTTPResponse(status: 408)
        case .redirect: return HTTPResponse(status: 307, headers: [("location", "https://evil.example/")])
        case .notJSON: return HTTPResponse(status: 200, body: Array("<html>welcome</html>".utf8))
        case .emptyAnswer: return HTTPResponse(status: 200)
        case .duplicateMember: return HTTPResponse(status: 200, body: Array(#"{"token":"a.b.c","token":"d.e.f"}"#.utf8))
        case .oversizedAnswer: return HTTPResponse(status: 200, body: [UInt8](repeating: 0x20, count: request.maximumResponseBytes + 1))
        case .refusedConnection: throw .connectionFailed(reason: "refused")
        case .unknownName: throw .nameNotResolved(host: "authority")
        case .untrustedTLS: throw .tlsFailed(reason: "certificate verify failed")
        case .cutOff: throw .invalidResponse(reason: "the connection ended in the body")
        case .silence: return try await ScriptedTransport.silence(request)
        default: return nil
        }
    }

    static func wrap(_ token: String, _ how: AuthorityMisbehaviour?) -> [UInt8] {
        let document: JSONValue = ["token": .string(token)]
        let body = document.serialized()
        return how == .truncatedAnswer ? Array(body.dropLast(20)) : body
    }

    static func error(_ status: Int, _ code: String, _ message: String) -> HTTPResponse {
        let document: JSONValue = ["error": ["code": .string(code), "message": .string(message)]]
        return HTTPResponse(status: status, headers: [("content-type", "application/json; charset=utf-8")], body: document.serialized())
    }
}
