internal import NIOCore

/// One answer, whole.
struct Reply: Sendable {
    var status: Int
    var contentType: String
    var headers: [(name: String, value: String)] = []
    var body: ByteBuffer
    /// Whether the connection closes after it.
    var closes = false
    /// Whether the body holds a key: its memory is overwritten once it is sent.
    var isSecret = false
    /// Whether only the head is sent (answer to HEAD).
    var omitsBody = false

    static let json = "application/json; charset=utf-8"

    static func json(_ status: Int, _ bytes: [UInt8]) -> Reply { Reply(status: status, contentType: json, body: ByteBuffer(bytes: bytes)) }

    static func json(_ status: Int, _ body: ByteBuffer) -> Reply { Reply(status: status, contentType: json, body: body) }

    /// What the original answers to everything that it does not know.
    static let notFound = Reply(status: 404, contentType: "text/plain", body: ByteBuffer(string: "404 page not found"))
}
