internal import HTTPTransport
internal import PlainText
internal import SecureMemory

/// Cuts the secrets of a request out of the error answer to it, by their value: whatever form a token has, no log and no caller gets it
/// back from a service that repeats it.
struct DiscreetTransport: HTTPTransport, UpstreamReporting {
    private let transport: any HTTPTransport

    init(_ transport: any HTTPTransport) { self.transport = (transport as? DiscreetTransport)?.transport ?? transport }

    func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        var response = try await transport.send(request)
        guard response.status >= 300 else { return response }
        let secrets = Self.secrets(of: request)
        guard !secrets.isEmpty else { return response }
        response.body = UpstreamText.cutting(secrets, from: response.body)
        response.headers = response.headers.map { name, value in
            (name, String(decoding: UpstreamText.cutting(secrets, from: Array(value.utf8)), as: UTF8.self))
        }
        return response
    }

    var upstreamStates: [UpstreamState] { (transport as? any UpstreamReporting)?.upstreamStates ?? [] }

    func upstreamState(of target: HTTPRequest.Target) -> UpstreamState? {
        (transport as? any UpstreamReporting)?.upstreamState(of: target)
    }

    /// The bearer token, and the header field with which App Service identifies its own (ManagedIdentity.md, "Other endpoints").
    private static func secrets(of request: HTTPRequest) -> [String] {
        ([request.bearer?.reveal()] + request.headers.filter { $0.name.lowercased() == "x-identity-header" }.map(\.value)).compactMap(
            \.self)
    }
}
