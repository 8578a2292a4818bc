import CurlTransport
import HTTPTransport
import SecureMemory

func makeTransport(
    trust: TLSTrust = TLSTrust(files: [], directories: [], includesSystemDefaults: false),
    connectTo: [String] = [], connectTimeout: Duration = .seconds(5), connections: Int = 64, perOrigin: Int? = nil,
    proxy: CurlTransport.Options.Proxy = .none
) throws -> CurlTransport {
    try CurlTransport(
        CurlTransport.Options(
            trust: trust, connectTo: try connectTo.map { try ConnectOverride($0) }, userAgent: "test/1",
            connectTimeout: connectTimeout, maximumConnections: connections, maximumConnectionsPerOrigin: perOrigin,
            proxy: proxy))
}

/// A plain HTTP request to a server of the test.
func get(
    _ server: LoopbackServer, _ path: String = "/", within: Duration = .seconds(20), limit: Int = 1 << 20
) -> HTTPRequest {
    HTTPRequest(
        .get, .metadata(host: "127.0.0.1", port: server.port), path: path, deadline: .after(within),
        maximumResponseBytes: limit)
}

/// What went wrong, `nil` when nothing did.
func failure(of request: HTTPRequest, with transport: CurlTransport) async -> HTTPTransportError? {
    do throws(HTTPTransportError) {
        _ = try await transport.send(request)
        return nil
    } catch { return error }
}

extension HTTPResponse {
    var text: String { String(decoding: body, as: UTF8.self) }
}
