internal import BrokerCore
internal import NIOCore
internal import NIOHTTP1

/// One request as it came off a connection: whole and bounded, or refused before it was whole.
struct InboundRequest: Sendable {
    /// Whose connection it came on.
    let caller: Caller
    /// Absent where the connection did not get as far as a readable head.
    var head: HTTPRequestHead?
    /// The whole body; empty where the request was refused.
    var body: ByteBuffer
    /// Why the request is not served; the connection closes after the answer.
    var refusal: Refusal?
    /// Why this caller may not ask for this; its body was not read.
    var denial: BrokerError?

    var isHeadMethod: Bool { head?.method == .HEAD }

    /// The route, where the request got far enough to have one.
    var route: Route? { head.flatMap { Route.matching(method: $0.method.rawValue, target: RequestTarget($0.uri)) } }
}
