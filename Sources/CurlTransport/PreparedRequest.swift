internal import PlainText
internal import Waiting
internal import HTTPTransport
internal import SecureMemory

/// A request that was checked and taken apart, so that nothing in it can change the meaning of the bytes around it.
struct PreparedRequest: Sendable {
    let method: HTTPRequest.Method
    let url: String
    /// Scheme, host and port.
    let origin: String
    let host: String
    /// Whether it stays on this machine or link, in plain HTTP and past every proxy.
    let isMetadata: Bool
    /// The Unix socket to connect to, where it is one.
    let socketPath: String?
    /// Lines as `CURLOPT_HTTPHEADER` takes them, without the bearer.
    let headerLines: [String]
    let bearer: Redacted<String>?
    let body: [UInt8]?
    /// Takes the place of `body`.
    let secretBody: SecretBody?
    let deadline: Deadline
    let maximumResponseBytes: Int

    init(_ request: HTTPRequest) throws(HTTPTransportError) {
        switch request.target {
        case .service(let endpoint):
            host = endpoint.host
            origin = "https://\(endpoint.host):\(endpoint.port)"
            isMetadata = false
            socketPath = nil
        case .metadata(let name, let port):
            let address = HostAndPort(host: name, port: port)
            guard HostAndPort(address.description, defaultPort: 0) == address else {
                throw .invalidRequest(reason: "the metadata address is not a host name or IP address with a port")
            }
            // It would cross the link in the clear.
            guard request.bearer == nil else { throw .invalidRequest(reason: "a bearer token is not sent to a metadata address") }
            host = name
            origin = "http://\(address)"
            isMetadata = true
            socketPath = nil
        case .unix(let path):
            guard path.hasPrefix("/"), path.utf8.consists(of: .printable, count: 2...107) else {
                throw .invalidRequest(reason: "the socket is not an absolute path")
            }
            guard request.bearer == nil else { throw .invalidRequest(reason: "a bearer token is not sent to a socket of this machine") }
            host = "localhost"
            origin = "http://localhost"
            isMetadata = true
            socketPath = path
        }
        let path = request.path.utf8
        guard path.first == UInt8(ascii: "/"), path.count <= 16 * 1024,
            path.consists(of: .visible - "#")
        else { throw .invalidRequest(reason: "the path does not start with '/' or is not percent-encoded") }
        if let bearer = request.bearer {
            let token = bearer.reveal().utf8
            guard token.consists(of: .visible, count: 1...Int.max) else {
                throw .invalidRequest(reason: "the bearer token is empty or holds white space or control characters")
            }
        }
        method = request.method
        url = origin + request.path
        headerLines = try Self.lines(request.headers)
        bearer = request.bearer
        body = request.secretBody == nil ? request.body : nil
        secretBody = request.secretBody
        deadline = request.deadline
        maximumResponseBytes = max(0, request.maximumResponseBytes)
    }

    private static func lines(_ headers: [(name: String, value: String)]) throws(HTTPTransportError) -> [String] {
        // An empty field with a colon takes away one that libcurl would add.
        var lines = ["Expect:"]
        var namesContentType = false
        for (name, value) in headers {
            guard HeaderField.isName(name) else { throw .invalidRequest(reason: "the name of a header field is not a token") }
            let lowercase = name.lowercased()
            guard !HeaderField.reserved.contains(lowercase) else {
                throw .invalidRequest(reason: "the header field \(lowercase) is not the caller's to set")
            }
            guard HeaderField.isValue(value) else {
                throw .invalidRequest(reason: "the header field \(lowercase) holds control characters")
            }
            if lowercase == "content-type" { namesContentType = true }
            // An empty value is written with a semicolon.
            lines.append(value.utf8.allSatisfy { $0 == 0x20 } ? "\(name);" : "\(name): \(value)")
        }
        if !namesContentType { lines.append("Content-Type:") }
        return lines
    }
}

/// The grammar of header fields (RFC 9110, 5.1 and 5.5).
enum HeaderField {
    /// Fields that frame the message, name its target or belong to the connection; and the credentials, which travel as
    /// `HTTPRequest.bearer`.
    static let reserved: Set<String> = [
        "authorization", "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade",
    ]

    static func isName(_ text: String) -> Bool { text.utf8.consists(of: token, count: 1...256) }

    /// Visible characters, spaces and tabs; no line break in any form.
    static func isValue(_ text: String) -> Bool {
        text.utf8.count <= 64 * 1024 && text.utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
    }

    private static let token = ASCIISet.alphanumeric + "!#$%&'*+-.^_`|~"
}
