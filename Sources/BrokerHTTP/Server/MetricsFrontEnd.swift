internal import BrokerCore
internal import HTTPTypes
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import NIOPosix
package import PlainText
internal import ServiceLifecycle

/// `GET /metrics` on a listener of its own, so that a network policy can open it to a scraper and nothing else with it.
package struct MetricsFrontEnd: Service {
    /// A page and its media type, for the value of `Accept`.
    package typealias Page = @Sendable (_ accept: String?) -> (contentType: String, text: String)

    private let address: HostAndPort
    private let logger: Logger
    private let page: Page
    private let onListening: @Sendable (HostAndPort) -> Void

    package init(
        _ address: HostAndPort, logger: Logger, onListening: @escaping @Sendable (HostAndPort) -> Void = { _ in }, page: @escaping Page
    ) {
        self.address = address
        self.logger = logger
        self.onListening = onListening
        self.page = page
    }

    /// - Throws: `BrokerError` with code `misconfigured` when the listener cannot be opened.
    package func run() async throws {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let (address, page, onListening) = (address, page, onListening)
        let channel = HTTPServerBuilder.http1(
            configuration: .init(
                idleTimeout: .seconds(60),
                httpDecoderConfiguration: .init(maxHeaderFieldSize: 8192, maxHeaderListSize: 8192, maxHeaderFieldCount: 64)))
        let server: any Service
        do {
            server = try channel.buildServer(
                configuration: ServerConfiguration(
                    address: .hostname(address.host, port: address.port), serverName: nil,
                    // A scraper or two.
                    availableConnectionsDelegate: .maximum(16, logger: quiet)),
                eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet,
                responder: { request, writer, _ in
                    let response = Self.response(to: request, page)
                    try await writer.write(response: response.head, body: response.body)
                },
                onServerRunning: { channel in
                    onListening(HostAndPort(host: address.host, port: channel.localAddress?.port ?? address.port))
                })
            try await server.run()
        } catch {
            throw BrokerError(.misconfigured, at: .startup, "cannot listen on \(address) (server.metrics): \(error)", cause: error)
        }
    }

    /// Does not look at a body, and reads none.
    private static func response(to request: Request, _ page: Page) -> Response {
        let path = request.head.path?.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first
        guard path == "/metrics", request.head.method == .get || request.head.method == .head else {
            return Response(
                status: .notFound, headers: [.contentType: "text/plain", .connection: "close"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: "404 page not found")))
        }
        let (contentType, text) = page(request.head.headerFields[.accept])
        let body = ByteBuffer(string: text)
        var response = Response(
            status: .ok, headers: [.contentType: contentType, .cacheControl: "no-store"], body: ResponseBody(byteBuffer: body))
        if request.head.method == .head { response.body = ResponseBody() }
        return response
    }
}
