internal import HTTPTransport
internal import PlainText

/// Takes an answer apart as it arrives and stops it as soon as it is too long.
struct ResponseCollector {
    /// Longest header section of one answer, interim answers and trailers included.
    static let maximumHeaderBytes = 64 * 1024

    private let maximumBodyBytes: Int
    private(set) var headers: [(name: String, value: String)] = []
    private(set) var body: [UInt8] = []
    /// Why the transfer was stopped from this side.
    private(set) var refusal: HTTPTransportError?
    /// Whether anything arrived.
    private(set) var hasStarted = false
    private var headerBytes = 0
    private var isHeaderComplete = false

    init(maximumBodyBytes: Int) { self.maximumBodyBytes = maximumBodyBytes }

    /// One line of a header section with its line end. False stops the transfer.
    mutating func receiveHeaderLine(_ line: UnsafeRawBufferPointer) -> Bool {
        hasStarted = true
        headerBytes += line.count
        guard headerBytes <= Self.maximumHeaderBytes else { return refuse(.responseTooLarge(limit: Self.maximumHeaderBytes)) }
        if line.starts(with: "HTTP/".utf8) {
            // The status line of the answer, or of the next one after an interim answer.
            headers = []
            isHeaderComplete = false
            return true
        }
        let content = line.trimmed(.whiteSpace)
        guard !content.isEmpty else {
            isHeaderComplete = true
            return true
        }
        // What follows the body is a trailer field; nothing here needs one, and none may pass for a header field.
        guard !isHeaderComplete else { return true }
        if let first = line.first, first == 0x20 || first == 0x09 {
            // A folded line (RFC 9112, 5.2) continues the value before it.
            guard let last = headers.indices.last else { return true }
            headers[last].value += " " + String(decoding: content, as: UTF8.self)
            return true
        }
        guard let colon = content.firstIndex(of: UInt8(ascii: ":")) else { return true }
        let name = String(decoding: content[..<colon], as: UTF8.self).lowercased()
        let value = String(decoding: content[(colon + 1)...].trimmed(.whiteSpace), as: UTF8.self)
        headers.append((name, value))
        if name == "content-length", let length = Int(value), length > maximumBodyBytes {
            return refuse(.responseTooLarge(limit: maximumBodyBytes))
        }
        return true
    }

    /// A piece of the body. False stops the transfer.
    mutating func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        hasStarted = true
        guard body.count + bytes.count <= maximumBodyBytes else { return refuse(.responseTooLarge(limit: maximumBodyBytes)) }
        body.append(contentsOf: bytes)
        return true
    }

    private mutating func refuse(_ error: HTTPTransportError) -> Bool {
        refusal = error
        return false
    }
}
