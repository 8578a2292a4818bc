internal import BrokerCore
internal import Logging
internal import NIOHTTP1

/// One line for each request, made of closed sets: no path, query, header field or body ever gets into it.
struct AccessLog: Sendable {
    let logger: Logger
    let onAnswer: @Sendable (HTTPFrontEnd.Answered) -> Void

    struct Entry {
        let method: HTTPMethod?
        let route: Route?
        let answer: Answer
        let duration: Duration
        /// Whether the whole answer was handed to the system.
        let wasSent: Bool
        /// Whether the peer ended the connection in the middle of its request.
        let wasCutShort: Bool
    }

    func record(_ entry: Entry) {
        onAnswer(HTTPFrontEnd.Answered(route: entry.route?.rawValue ?? HTTPFrontEnd.noRoute, status: entry.answer.reply.status))
        var metadata: Logger.Metadata = [
            "method": "\(Self.name(of: entry.method))", "route": "\(entry.route?.rawValue ?? HTTPFrontEnd.noRoute)",
            "status": "\(entry.answer.reply.status)", "code": "\(entry.answer.code)", "duration_ms": "\(Self.milliseconds(entry.duration))",
            "request_id": "\(entry.answer.requestID)",
        ]
        if let stage = entry.answer.stage { metadata["stage"] = "\(stage.rawValue)" }
        if let message = entry.answer.message { metadata["error"] = "\(Self.oneLine(message))" }
        if let details = entry.answer.details {
            metadata["cause"] = "\(Self.oneLine(details.cause))"
            metadata["explanation"] = "\(Self.oneLine(details.summary))"
        }
        if !entry.wasSent || entry.wasCutShort { metadata["peer"] = entry.wasSent ? "stopped sending" : "gone" }
        logger.log(level: Self.level(of: entry), "request", metadata: metadata)
        if let cause = entry.answer.cause {
            logger.debug(
                "cause of the error above", metadata: ["request_id": "\(entry.answer.requestID)", "cause": "\(Self.oneLine("\(cause)"))"])
        }
    }

    /// The engine's own line says more, and probes come every few seconds.
    private static func level(of entry: Entry) -> Logger.Level {
        let isProbe = entry.route.map { [.status, .live, .ready].contains($0) } ?? false
        return entry.wasSent && (entry.answer.isRecorded || isProbe) ? .debug : .info
    }

    /// A method that nobody knows is a caller's free text.
    private static func name(of method: HTTPMethod?) -> String {
        switch method {
        case .GET, .HEAD, .POST, .PUT, .PATCH, .DELETE, .OPTIONS, .CONNECT, .TRACE: method?.rawValue ?? "none"
        case nil: "none"
        default: "other"
        }
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }

    static func oneLine(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.prefix(500).map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}
