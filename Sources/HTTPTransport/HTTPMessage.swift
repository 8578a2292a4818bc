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
        /// `http` over a Unix socket of this machine.
        case unix(path: String)
    }

    /// What a request is for; metrics count by it.
    public enum Purpose: String, Sendable, CaseIterable {
        case attestation, endorsements, identity
        case keyStore = "key_store"
        case other
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
    public var purpose: Purpose
    /// Until when the request may be sent again where a failure passes, each time with as much patience as the first. `nil` where it must
    /// not be sent twice.
    public var repeatsUntil: Deadline?

    public init(
        _ method: Method, _ target: Target, path: String, headers: [(name: String, value: String)] = [], bearer: Redacted<String>? = nil,
        body: [UInt8]? = nil, secretBody: SecretBody? = nil, deadline: Deadline, maximumResponseBytes: Int = 1 << 20,
        purpose: Purpose = .other, repeatsUntil: Deadline? = nil
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
        self.purpose = purpose
        self.repeatsUntil = repeatsUntil
    }
}

extension HTTPRequest.Target: CustomStringConvertible {
    /// The name of the service, with a port where it is not 443.
    public var description: String {
        switch self {
        case .service(let endpoint): endpoint.description
        case .metadata(let host, let port): HostAndPort(host: host, port: port).description
        case .unix(let path): "unix:\(path)"
        }
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

    /// How long the service asks to wait, at most one hour: `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), or in milliseconds
    /// as some of Azure's services have it (Resilience.md, "How long to wait"). A value that is absent, negative or unreadable is `nil`. A
    /// date is measured from the answer's own `Date`, so that clocks need not agree.
    public var retryAfter: Duration? {
        for name in ["retry-after-ms", "x-ms-retry-after-ms"] {
            if let text = header(name), let delay = Int64(text), delay >= 0 { return .milliseconds(min(delay, 3_600_000)) }
        }
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
