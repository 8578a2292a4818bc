internal import Waiting
package import HTTPTransport
internal import Synchronization

/// A transport without a network: a closure answers, and every request is kept for the test to look at.
///
/// It keeps the promises of `HTTPTransport` that a provider may rely on: a passed deadline, a cancelled task and an answer longer than the
/// request allows are errors here as they are on a wire.
package final class ScriptedTransport: HTTPTransport {
    /// What stands at the other end.
    package typealias Answer = @Sendable (HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse

    private let answer: Answer
    private let recorded = Mutex<[HTTPRequest]>([])

    /// Answers every request with `answer`.
    package init(_ answer: @escaping Answer) { self.answer = answer }

    /// Answers the first request with the first entry, and so on; a request too many finds the connection refused.
    package convenience init(script: [Result<HTTPResponse, HTTPTransportError>]) {
        let remaining = RemainingScript(script)
        self.init { _ throws(HTTPTransportError) in
            guard let next = remaining.next() else { throw .connectionFailed(reason: "the script of \(script.count) answers is over") }
            return try next.get()
        }
    }

    /// Every request so far, in order.
    package var requests: [HTTPRequest] { recorded.withLock { $0 } }

    package func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        recorded.withLock { $0.append(request) }
        if Task.isCancelled { throw .cancelled }
        if request.deadline.hasPassed { throw .deadlineExceeded }
        let response = try await answer(request)
        guard response.body.count <= request.maximumResponseBytes else { throw .responseTooLarge(limit: request.maximumResponseBytes) }
        return response
    }

    /// Says nothing until the request's deadline passes or its task is cancelled.
    package static func silence(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        do { try await Task.sleep(until: request.deadline.instant, clock: .continuous) } catch { throw .cancelled }
        throw .deadlineExceeded
    }
}

private final class RemainingScript: Sendable {
    private let entries: Mutex<ArraySlice<Result<HTTPResponse, HTTPTransportError>>>

    init(_ entries: [Result<HTTPResponse, HTTPTransportError>]) { self.entries = Mutex(entries[...]) }

    func next() -> Result<HTTPResponse, HTTPTransportError>? { entries.withLock { $0.popFirst() } }
}
