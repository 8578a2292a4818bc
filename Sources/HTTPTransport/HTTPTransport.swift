/// Sends one HTTP request and returns its whole answer. What every outbound connection of the broker goes through.
///
/// An implementation verifies the peer's certificate and name (there is no setting to turn that off), never follows redirects, refuses
/// answers longer than the request allows, honours the deadline and ends the transfer when the calling task is cancelled.
public protocol HTTPTransport: Sendable { func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse }

/// Why no answer came back. An answer with an error status is an answer, not an error.
public enum HTTPTransportError: Error, Sendable, Equatable {
    /// The request cannot be sent as it is: a line break in a header field, a path that is not one. Nothing left this process.
    case invalidRequest(reason: String)
    /// The host name has no address.
    case nameNotResolved(host: String)
    /// No connection: refused, unreachable, reset before a byte arrived.
    case connectionFailed(reason: String)
    /// The TLS handshake failed: an untrusted or expired certificate, a wrong name, an old protocol.
    case tlsFailed(reason: String)
    /// The request's deadline passed.
    case deadlineExceeded
    /// The answer was longer than `HTTPRequest.maximumResponseBytes`.
    case responseTooLarge(limit: Int)
    /// The connection ended in the middle of the answer, or the answer is not HTTP.
    case invalidResponse(reason: String)
    /// The calling task was cancelled.
    case cancelled
    /// The transport was shut down.
    case stopped
    /// Not sent: the service asked for fewer requests, or has failed several times in a row. It may be asked again after that time.
    case heldBack(isThrottled: Bool, retryAfter: Duration)
}

extension HTTPTransportError {
    /// How long to wait before the service may be asked again, where that is known.
    package var retryAfter: Duration? {
        if case .heldBack(_, let delay) = self { delay } else { nil }
    }
}

extension HTTPTransportError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidRequest(let reason): "the request cannot be sent: \(reason)"
        case .nameNotResolved(let host): "the name \(host) cannot be resolved"
        case .connectionFailed(let reason): "the connection failed: \(reason)"
        case .tlsFailed(let reason): "TLS failed: \(reason)"
        case .deadlineExceeded: "no complete answer before the deadline"
        case .responseTooLarge(let limit): "the answer is longer than \(limit) bytes"
        case .invalidResponse(let reason): "the answer is not valid HTTP or was cut off: \(reason)"
        case .cancelled: "the request was cancelled"
        case .stopped: "the transport is shut down"
        case .heldBack(true, _): "it asked for fewer requests, and that time is not over"
        case .heldBack(false, _): "it failed several times in a row, and is left alone for a while"
        }
    }
}
