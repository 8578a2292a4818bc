internal import StrictJSON

/// Why a request is refused before the engine sees it. All of them are `BrokerError.Code.invalidRequest` at stage `decode`.
enum Refusal: Error, Equatable {
    // The connection
    case bodyTooLarge(limit: Int)
    case tooManyBodies
    case headTooLarge(limit: Int)
    case malformedHTTP
    case bodyIncomplete
    case bodyTimeout
    // The header fields
    case hostMissing
    case hostRefused
    case browser
    case contentType
    // The body
    case emptyBody
    /// Not JSON, or not what is accepted of it: duplicates, depth, trailing data.
    case refusedJSON(JSONError)
    /// A word that begins like `null`, `true` or `false` and is none, in the original's words.
    case misspelt(String)
    case wrongTopLevel(BodyShape, found: JSONKind)
    case wrongType(BodyShape, BodyMember, found: JSONKind)
    case duplicateMember(BodyMember)
    case missing(BodyShape, BodyMember)
    case base64(offset: Int)
    case invalidValue(BodyMember, reason: String)

    /// The original's names for what a JSON value is.
    enum JSONKind: String { case number, string, bool, array, object }
}

extension Refusal {
    var status: Int {
        switch self {
        case .bodyTooLarge: 413
        case .tooManyBodies: 429
        case .headTooLarge: 431
        case .bodyTimeout: 408
        case .contentType: 415
        case .hostRefused, .browser: 403
        case .malformedHTTP, .bodyIncomplete, .hostMissing, .emptyBody, .misspelt, .refusedJSON, .wrongTopLevel, .wrongType,
            .duplicateMember, .missing, .base64, .invalidValue:
            400
        }
    }

    /// Whether the same request may succeed later.
    var isRetryable: Bool {
        switch self {
        case .tooManyBodies, .bodyTimeout, .bodyIncomplete: true
        case .bodyTooLarge, .headTooLarge, .malformedHTTP, .hostMissing, .hostRefused, .browser, .contentType, .emptyBody, .misspelt,
            .refusedJSON, .wrongTopLevel, .wrongType, .duplicateMember, .missing, .base64, .invalidValue:
            false
        }
    }

    /// The broker's own words, for the profile `precise` and for logs. Never quotes a value of the request.
    var message: String {
        switch self {
        case .bodyTooLarge(let limit): "the request body is longer than \(limit) bytes"
        case .tooManyBodies: "too many request bodies are being received at once; try again"
        case .headTooLarge(let limit): "the request line and header fields are longer than \(limit) bytes"
        case .malformedHTTP: "the request is not valid HTTP/1.1"
        case .bodyIncomplete: "the connection ended in the middle of the request"
        case .bodyTimeout: "the request body did not arrive in time"
        case .hostMissing: "an HTTP/1.1 request has exactly one Host field"
        case .hostRefused: "the Host field must be localhost or an IP address: a name could have been pointed here by somebody else"
        case .browser: "requests from web pages are refused (fields Origin and Sec-Fetch-Site)"
        case .contentType: "the request's Content-Type must be application/json"
        case .emptyBody: "the request has no body; send a JSON object"
        case .refusedJSON(let error): "the request body is refused: \(error)"
        case .misspelt(let complaint): "the request body is not JSON: \(complaint)"
        case .wrongTopLevel(_, let found): "the request body must be a JSON object, found \(found.words)"
        case .wrongType(_, let member, let found): "\(member.rawValue): expected a string, found \(found.words)"
        case .duplicateMember(let member): "\(member.rawValue) occurs twice (names are compared in any case)"
        case .missing(_, let member): "\(member.rawValue) is required"
        case .base64(let offset): "runtime_data is not base64 (either alphabet, with padding): illegal at input byte \(offset)"
        case .invalidValue(let member, let reason): "\(member.rawValue): \(reason)"
        }
    }

    /// The original's words, without the help text that it put into the middle; in its style where it has none.
    var compatibleText: String {
        switch self {
        case .bodyTooLarge, .tooManyBodies, .headTooLarge, .malformedHTTP, .bodyIncomplete, .bodyTimeout, .hostMissing, .hostRefused,
            .browser, .contentType, .duplicateMember, .invalidValue:
            "invalid request format: \(message)"
        case .emptyBody: "invalid request format: EOF"
        case .misspelt(let complaint): "invalid request format: \(complaint)"
        case .refusedJSON(let error): "invalid request format: \(error)"
        case .wrongTopLevel(let shape, let found):
            "invalid request format: json: cannot unmarshal \(found.rawValue) into Go value of type " + "httpginendpoints.\(shape.goName)"
        case .wrongType(let shape, let member, let found):
            "invalid request format: json: cannot unmarshal \(found.rawValue) into Go struct field "
                + "\(shape.goName).\(member.rawValue) of type string"
        case .missing(let shape, let member):
            "invalid request format: Key: '\(shape.goName).\(member.goName)' Error:Field validation for '\(member.goName)' failed "
                + "on the 'required' tag"
        case .base64(let offset): "decoding base64-encoded runtime data of request failed: illegal base64 data at input byte \(offset)"
        }
    }
}

extension Refusal.JSONKind {
    fileprivate var words: String {
        switch self {
        case .number: "a number"
        case .string: "a string"
        case .bool: "a boolean"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
