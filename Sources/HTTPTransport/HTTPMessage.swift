internal import PlainText
public import Waiting
public import SecureMemory

/// One outbound request.
public struct HTTPRequest: Sendable {
    /// HTTP method token.
    public enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    /// Where a request may go. Plain HTTP exists for the platform's metadata services alone and never passes a proxy.
    public enum Target: Sendable, Hashable {
        /// `https` to a named service.
        case service(Endpoint)
        /// `http` to a metadata address on this machine or link, such as 169.254.169.254:80; proxies are bypassed.
        case metadata(host: String, port: Int)
    }

    public var method: Method
    public var target: Target
    /// Absolute path with its query, already percent-encoded, starting with `/`.
    public var path: String
    /// Header fields in order; names in any case. `authorization` belongs in `bearer`.
    public var headers: [(name: String, value: String)]
    /// Bearer token for the `Authorization` field.
    public var bearer: Redacted<String>?
    /// Body bytes; `nil` sends none.
    public var body: [UInt8]?
    /// A body with key material in it; takes the place of `body`.
    public var secretBody: SecretBody?
    /// When to give up.
    public var deadline: Deadline
    /// Longest acceptable answer body, in bytes.
    public var maximumResponseBytes: Int

    public init(
        _ method: Method, _ target: Target, path: String, headers: [(name: String, value: String)] = [], bearer: Redacted<String>? = nil,
        body: [UInt8]? = nil, secretBody: SecretBody? = nil, deadline: Deadline, maximumResponseBytes: Int = 1 << 20
    ) {
        self.method = method
        self.target = target
        self.path = path
        self.headers = headers
        self.bearer = bearer
        self.body = body
        self.secretBody = secretBody
        self.deadline = deadline
        self.maximumResponseBytes = maximumResponseBytes
    }
}

/// One whole answer.
public struct HTTPResponse: Sendable {
    /// HTTP status code.
    public var status: Int
    /// Header fields in order, names in lower case.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first field of that name (given in lower case).
    public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The delay of a `Retry-After` field (RFC 9110, 10.2.3), at most one hour; absent, negative or unreadable values are `nil`. A date
    /// is measured from the answer's own `Date`, so that clocks need not agree.
    public var retryAfter: Duration? {
        guard let text = header("retry-after") else { return nil }
        let seconds: Int64
        if let date = HTTPDate.parse(text) {
            seconds = max(date - (header("date").flatMap(HTTPDate.parse) ?? HTTPDate.present), 0)
        } else {
            guard let delay = Int64(text), delay >= 0 else { return nil }
            seconds = delay
        }
        return .seconds(min(seconds, 3600))
    }
}
