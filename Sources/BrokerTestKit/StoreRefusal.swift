internal import HTTPTransport
internal import StrictJSON

/// Answers of a scripted store that carry no key, and answers that spoil one.
enum StoreRefusal {
    static func answer(for how: StoreMisbehaviour?, to request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse? {
        switch how {
        case .badParameter: return error(400, "BadParameter", "Property 'enc' has an invalid value")
        case .notReleasable: return error(400, "BadParameter", "AKV.SKR.1005: Non-exportable keys must not have release policy.")
        case .unauthorized:
            var answer = error(401, "Unauthorized", "AKV10022: Invalid audience.")
            answer.headers.append(
                (
                    "www-authenticate",
                    #"Bearer authorization="https://login.windows.net/12345678-1234-1234-1234-123456789012","#
                        + #" resource="https://vault.azure.net""#
                ))
            return answer
        case .forbiddenByPolicy:
            return error(403, "Forbidden", "Target environment attestation does not meet key release policy requirements.")
        case .forbiddenByPermission:
            return error(403, "Forbidden", "Caller is not authorized to perform action on resource.", inner: "ForbiddenByRbac")
        case .notFound: return error(404, "KeyNotFound", "A key with (name/id) k1 was not found in this key vault.")
        case .conflict: return error(409, "Conflict", "Key k1 is currently in a deleted but recoverable state")
        case .throttled:
            var answer = error(429, "Throttled", "slow down")
            answer.headers.append(("retry-after", "7"))
            return answer
        case .serverError: return error(500, "InternalError", "oops")
        case .requestTimeout: return HTTPResponse(status: 408)
        case .redirect: return HTTPResponse(status: 307, headers: [("location", "https://evil.example/")])
        case .notJSON: return HTTPResponse(status: 200, body: Array("<html>welcome</html>".utf8))
        case .emptyAnswer: return HTTPResponse(status: 200)
        case .noContent: return HTTPResponse(status: 204)
        case .duplicateMember: return HTTPResponse(status: 200, body: Array(#"{"value":"a.b.c","value":"d.e.f"}"#.utf8))
        case .oversizedAnswer: return HTTPResponse(status: 200, body: [UInt8](repeating: 0x20, count: request.maximumResponseBytes))
        case .refusedConnection: throw .connectionFailed(reason: "refused")
        case .unknownName: throw .nameNotResolved(host: "store")
        case .untrustedTLS: throw .tlsFailed(reason: "certificate verify failed")
        case .cutOff: throw .invalidResponse(reason: "the connection ended in the body")
        case .silence: return try await ScriptedTransport.silence(request)
        default: return nil
        }
    }

    static func wrap(_ jws: String, _ how: StoreMisbehaviour?) -> [UInt8] {
        let document: JSONValue = ["value": .string(jws)]
        let body = document.serialized()
        return how == .truncatedAnswer ? Array(body.dropLast(20)) : body
    }

    static func error(_ status: Int, _ code: String, _ message: String, inner: String? = nil) -> HTTPResponse {
        var error: JSONObject = ["code": .string(code), "message": .string(message)]
        if let inner { error.set("innererror", ["code": .string(inner)]) }
        let document: JSONValue = ["error": .object(error)]
        return HTTPResponse(status: status, headers: [("content-type", "application/json; charset=utf-8")], body: document.serialized())
    }
}
