internal import HTTPTransport
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import PlainText
internal import ServiceLifecycle

/// Between Hummingbird and the services: reads a whole request within bounds, writes a whole answer.
struct SimulatorServer: Sendable {
    /// Longest request body in bytes.
    static let maximumBodyBytes = 1 << 20
    /// Longest path with query in bytes.
    static let maximumPathBytes = 8192

    let answer: @Sendable (SimulatorRequest) async -> SimulatorResponse

    /// A server for it, over plain connections or what else `builder` makes.
    func server(
        _ builder: HTTPServerBuilder = .http1(), on address: BindAddress, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) -> Void
    ) throws -> any Service {
        try builder.buildServer(
            configuration: ServerConfiguration(address: address, serverName: nil), eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: logger,
            responder: { request, writer, _ in
                var response = await respond(to: request)
                response.headers[.date] = HTTPDate.now()
                do { try await writer.write(response: response.head, body: response.body) } catch {
                    // Not the error itself: a parser's would be answered a second time.
                    throw SimulatorError("an answer cannot be sent: \(error)")
                }
            }, onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) })
    }

    private func respond(to request: Request) async -> Response {
        let target = Self.originForm(request.head.path ?? "/")
        guard target.utf8.count <= Self.maximumPathBytes else {
            return Self.response(SimulatorResponse(error: 414, code: "UriTooLong", message: "The URI is too long."))
        }
        let parts = target.utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.first.map({ String(decoding: $0, as: UTF8.self) }), path.hasPrefix("/"),
            let query = parts.count < 2 ? [] : FormItem.decode(parts[1])
        else { return Self.response(SimulatorResponse(error: 400, code: "BadRequest", message: "The URI cannot be understood.")) }
        var body: [UInt8] = []
        do {
            for try await chunk in request.body {
                guard body.count + chunk.readableBytes <= Self.maximumBodyBytes else {
                    var response = Self.response(SimulatorResponse(error: 413, code: "RequestTooLarge", message: "The body is too long."))
                    response.headers[.connection] = "close"
                    return response
                }
                body.append(contentsOf: chunk.readableBytesView)
            }
        } catch { return Self.response(SimulatorResponse(error: 400, code: "BadRequest", message: "The body cannot be read.")) }
        var headers: [(name: String, value: String)] = []
        for field in request.head.headerFields { headers.append((field.name.canonicalName, field.value)) }
        let simulated = SimulatorRequest(
            method: request.head.method.rawValue.uppercased(), authority: Self.normalized(request.head.authority), path: path, query: query,
            headers: headers, body: body)
        return Self.response(await answer(simulated))
    }

    /// The path of a target in absolute form, which is what proxies are sent (RFC 9112, section 3.2.2).
    private static func originForm(_ target: String) -> String {
        guard target.lowercased().hasPrefix("http://") else { return target }
        let rest = target.dropFirst("http://".utf8.count).drop { $0 != "/" && $0 != "?" }
        return rest.first == "/" ? String(rest) : "/" + rest
    }

    /// Lower case, and without the port that https implies.
    static func normalized(_ authority: String?) -> String {
        let text = (authority ?? "").lowercased()
        return text.hasSuffix(":443") ? String(text.dropLast(4)) : text
    }

    private static func response(_ answer: SimulatorResponse) -> Response {
        var fields = HTTPFields()
        for (name, value) in answer.headers { if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) } }
        // 204 and 304 have no body, and no length either.
        guard answer.status != 204 else { return Response(status: .noContent, headers: fields) }
        return Response(
            status: HTTPTypes.HTTPResponse.Status(code: answer.status), headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}
