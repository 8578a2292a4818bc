import Waiting
import CurlTransport
import HTTPTransport
import OpenSSLCrypto
import SecureMemory

func makeTransport(
    trust: TLSTrust? = nil, connectTo: [String] = [], connectTimeout: Duration = .seconds(60), connections: Int = 64, perOrigin: Int? = nil,
    proxy: CurlTransport.Options.Proxy = .none
) throws -> CurlTransport {
    let trust = trust ?? TLSTrust(includesSystemDefaults: false)
    let isNobody = trust == TLSTrust(includesSystemDefaults: false)
    let store =
        isNobody
        ? try TrustStore(roots: [])
        : try TrustStore(files: trust.files, directories: trust.directories, includesSystemDefaults: trust.includesSystemDefaults)
    return try CurlTransport(
        CurlTransport.Options(
            trust: { store }, connectTo: try connectTo.map { try ConnectOverride($0) }, userAgent: "test/1", connectTimeout: connectTimeout,
            maximumConnections: connections, maximumConnectionsPerOrigin: perOrigin, proxy: proxy))
}

/// A plain HTTP request to a server of the test.
func get(_ server: LoopbackServer, _ path: String = "/", within: Duration = .seconds(100), limit: Int = 1 << 20) -> HTTPRequest {
    HTTPRequest(.get, .metadata(host: "127.0.0.1", port: server.port), path: path, deadline: .after(within), maximumResponseBytes: limit)
}

/// What went wrong, `nil` when nothing did.
func failure(of request: HTTPRequest, with transport: CurlTransport) async -> HTTPTransportError? {
    do throws(HTTPTransportError) {
        _ = try await transport.send(request)
        return nil
    } catch { return error }
}

extension HTTPResponse { var text: String { String(decoding: body, as: UTF8.self) } }
