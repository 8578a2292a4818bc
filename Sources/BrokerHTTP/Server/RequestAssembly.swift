internal import BrokerCore
internal import BrokerListeners
internal import NIOCore
internal import NIOHTTP1

/// The life of one connection as a value: what was received so far, and what to do about the next thing that happens.
///
/// Every transition returns the actions that `RequestAssembler` carries out, in order.
struct RequestAssembly {
    enum Action {
        /// Starts the clock for this; it replaces the one that runs.
        case start(Clock)
        case stopClock
        /// Gives a request out to be answered.
        case deliver(InboundRequest)
        /// Tells the peer that its body is welcome (`Expect: 100-continue`).
        case sendContinue
        /// Stops reading requests; what still arrives is thrown away, up to the limit of the configuration or of this.
        case discard(limit: Int? = nil)
        case close
    }

    enum Clock: Equatable { case head, body, idle, discard }

    private enum State {
        /// Between two requests.
        case idle
        /// Bytes of a head have arrived.
        case head
        case body(HTTPRequestHead, ByteBuffer)
        /// A request was given out and its answer is outstanding.
        case answering
        /// The last answer of the connection is being sent, or was.
        case closing
    }

    /// Whose connection it is, and whose request the one in progress is: its head may name somebody.
    private var peer: Caller
    private var caller: Caller
    private let bodyLimit: Int
    private let headerLimit: Int
    private let budget: BodyBudget
    private let door: @Sendable (HTTPRequestHead, Caller) -> (caller: Caller, denial: BrokerError?)
    private var state = State.head
    private var reserved = 0
    private(set) var closesAfterAnswer = false

    /// What is thrown away of the body of a caller who may not ask: enough for its answer to arrive.
    private static let refusedBody = 64 << 10

    /// `door` says why a request of this caller is not even read; `nil` where it is.
    init(
        caller: Caller, bodyLimit: Int, headerLimit: Int, budget: BodyBudget,
        door: @escaping @Sendable (HTTPRequestHead, Caller) -> (caller: Caller, denial: BrokerError?)
    ) {
        self.door = door
        peer = caller
        self.caller = caller
        self.bodyLimit = bodyLimit
        self.headerLimit = headerLimit
        self.budget = budget
    }

    /// The connection is up. Its first request is timed from here.
    func opened() -> [Action] { [.start(.head)] }

    /// The connection's client has shown a certificate.
    mutating func identified(_ subject: String) {
        peer.subject = subject
        caller = peer
    }

    mutating func bytesArrived() -> [Action] {
        guard case .idle = state else { return [] }
        state = .head
        return [.start(.head)]
    }

    mutating func received(_ head: HTTPRequestHead) -> [Action] {
        switch state {
        case .idle, .head: break
        case .body, .answering, .closing: return []
        }
        // After CONNECT and Upgrade the decoder would wait for another protocol.
        let leavesHTTP = head.method == .CONNECT || !head.headers["upgrade"].isEmpty
        closesAfterAnswer = leavesHTTP || !head.isKeepAlive || head.version != .http1_1
        let lengths = head.headers["content-length"]
        let isChunked = !head.headers["transfer-encoding"].isEmpty
        guard lengths.count <= 1, !(isChunked && !lengths.isEmpty) else { return refuse(.malformedHTTP, head: head) }
        // The decoder accepts digits only, and no more than it can count.
        let length = lengths.first.map { Int($0) ?? .max } ?? 0
        let (named, denial) = door(head, peer)
        caller = named
        if let denial {
            return end([.discard(limit: Self.refusedBody)], InboundRequest(caller: caller, head: head, body: ByteBuffer(), denial: denial))
        }
        guard length <= bodyLimit else { return refuse(.bodyTooLarge(limit: bodyLimit), head: head) }
        state = .body(head, ByteBuffer())
        let isExpecting = head.headers[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" }
        let expectsBody = isChunked || length > 0
        return isExpecting && expectsBody && head.version == .http1_1 ? [.start(.body), .sendContinue] : [.start(.body)]
    }

    mutating func received(_ part: ByteBuffer) -> [Action] {
        guard case .body(let head, var body) = state else { return [] }
        guard body.readableBytes + part.readableBytes <= bodyLimit else { return refuse(.bodyTooLarge(limit: bodyLimit), head: head) }
        let cost = max(0, body.readableBytes + part.readableBytes - BodyBudget.free) - reserved
        guard budget.take(cost, for: caller.share) else { return refuse(.tooManyBodies, head: head) }
        reserved += cost
        state = .closing  // lets go of `body`, so that appending does not copy it
        body.writeImmutableBuffer(part)
        state = .body(head, body)
        return []
    }

    mutating func receivedEnd() -> [Action] {
        guard case .body(let head, let body) = state else { return [] }
        state = .answering
        return [.stopClock, .deliver(InboundRequest(caller: caller, head: head, body: body))]
    }

    /// The bytes are not HTTP, or the head is longer than allowed.
    mutating func failed(_ error: HTTPParserError) -> [Action] {
        let tooLarge = Refusal.headTooLarge(limit: headerLimit)
        switch (state, error) {
        case (.idle, .invalidEOFState): return [.close]
        case (.head, .invalidEOFState): return [.close]
        case (.idle, .headerOverflow), (.head, .headerOverflow): return refuse(tooLarge, head: nil)
        case (.idle, _), (.head, _): return refuse(.malformedHTTP, head: nil)
        case (.body(let head, _), .invalidEOFState): return refuse(.bodyIncomplete, head: head)
        case (.body(let head, _), .headerOverflow): return refuse(tooLarge, head: head)
        case (.body(let head, _), _): return refuse(.malformedHTTP, head: head)
        case (.answering, _), (.closing, _): return []
        }
    }

    /// The peer will not send anything more; it may still read.
    mutating func inputClosed() -> [Action] {
        switch state {
        case .idle, .head, .closing: return [.close]
        case .body(let head, _): return refuse(.bodyIncomplete, head: head)
        case .answering:
            // It still reads: `printf … | socat - TCP:…` ends its half as soon as the request is sent.
            closesAfterAnswer = true
            return []
        }
    }

    mutating func ranOut(_ clock: Clock) -> [Action] {
        switch (clock, state) {
        case (.body, .body(let head, _)): refuse(.bodyTimeout, head: head)
        case (.body, _): []
        // While an answer is outstanding the engine's deadline counts; `discard` runs because the request was refused.
        case (.head, .answering), (.idle, .answering), (.discard, .answering): []
        case (.head, _), (.idle, _), (.discard, _): [.close]
        }
    }

    /// An answer is about to be sent. Says whether the connection ends with it.
    mutating func answers(closing: Bool) -> (closes: Bool, actions: [Action]) {
        releaseBudget()
        guard case .answering = state, !closing, !closesAfterAnswer else {
            state = .closing
            return (true, [.discard(), .start(.discard)])
        }
        state = .idle
        return (false, [.start(.idle)])
    }

    mutating func closed() {
        releaseBudget()
        state = .closing
    }

    private mutating func refuse(_ refusal: Refusal, head: HTTPRequestHead?) -> [Action] {
        end([.discard()], InboundRequest(caller: caller, head: head, body: ByteBuffer(), refusal: refusal))
    }

    /// The last request of the connection.
    private mutating func end(_ actions: [Action], _ request: InboundRequest) -> [Action] {
        state = .answering
        closesAfterAnswer = true
        releaseBudget()
        return actions + [.start(.discard), .deliver(request)]
    }

    private mutating func releaseBudget() {
        budget.give(reserved, of: caller.share)
        reserved = 0
    }
}
