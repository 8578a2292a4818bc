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
    let isMetadata: Bool
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
        case .metadata(let name, let port):
            guard !name.isEmpty, name.utf8.count <= 253, name.utf8.allSatisfy(Self.isNameByte), (1...65535).contains(port) else {
                throw .invalidRequest(reason: "the metadata address is not a host name or IPv4 address with a port")
            }
            // It would cross the link in the clear.
            guard request.bearer == nil else { throw .invalidRequest(reason: "a bearer token is not sent to a metadata address") }
            host = name
            origin = "http://\(name):\(port)"
            isMetadata = true
        }
        let path = request.path.utf8
        guard path.first == UInt8(ascii: "/"), path.count <= 16 * 1024,
            path.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") })
        else { throw .invalidRequest(reason: "the path does not start with '/' or is not percent-encoded") }
        if let bearer = request.bearer {
            let token = bearer.reveal().utf8
            guard !token.isEmpty, token.allSatisfy({ (0x21...0x7E).contains($0) }) else {
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

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
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

    static func isName(_ text: String) -> Bool { !text.isEmpty && text.utf8.count <= 256 && text.utf8.allSatisfy(isTokenByte) }

    /// Visible characters, spaces and tabs; no line break in any form.
    static func isValue(_ text: String) -> Bool {
        text.utf8.count <= 64 * 1024 && text.utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
