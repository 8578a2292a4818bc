package import HTTPTransport
package import OpenSSLCrypto
import Synchronization

/// Every outbound request of the broker, through libcurl on one thread of its own.
///
/// Connections are kept and reused; HTTP/2 is used where a service offers it; TLS is 1.2 or later and always verified. The transport is
/// meant to live as long
/// as the process: one instance, so that connections are shared.
package final class CurlTransport: HTTPTransport {
    package struct Options: Sendable {
        /// Where proxies come from.
        package enum Proxy: Sendable {
            /// `https_proxy`, `all_proxy` and `no_proxy`, as curl reads them. Metadata addresses are never proxied.
            case environment
            case none
        }

        /// Certificate authorities of services and proxies. Asked on the transport's thread for each request, which fails with it.
        package var trust: @Sendable () throws(CryptoError) -> TrustStore
        /// Tried in order. An entry for every host does not apply to metadata addresses; one that names a metadata address does.
        package var connectTo: [ConnectOverride]
        /// Value of the `User-Agent` field where a request names none of its own.
        package var userAgent: String
        /// Limit for name lookup, TCP and TLS together, where the request's deadline is not earlier.
        package var connectTimeout: Duration
        /// Most requests under way at once, and most connections kept; further requests wait their turn within their deadline.
        package var maximumConnections: Int
        /// Most requests under way at once to one origin, so that a service that hangs cannot keep the others waiting.
        package var maximumConnectionsPerOrigin: Int
        package var proxy: Proxy

        /// `maximumConnectionsPerOrigin` is half of `maximumConnections` unless given.
        package init(
            trust: @escaping @Sendable () throws(CryptoError) -> TrustStore, connectTo: [ConnectOverride] = [], userAgent: String,
            connectTimeout: Duration = .seconds(5), maximumConnections: Int = 64, maximumConnectionsPerOrigin: Int? = nil,
            proxy: Proxy = .environment
        ) {
            self.trust = trust
            self.connectTo = connectTo
            self.userAgent = userAgent
            self.connectTimeout = connectTimeout
            self.maximumConnections = maximumConnections
            self.maximumConnectionsPerOrigin = maximumConnectionsPerOrigin ?? max(1, maximumConnections / 2)
            self.proxy = proxy
        }
    }

    private let loop: TransferLoop

    /// Starts the thread.
    ///
    /// Throws `invalidRequest` for a user agent that is no header value and `connectionFailed` when the system refuses a thread.
    package init(_ options: Options) throws(HTTPTransportError) {
        guard HeaderField.isValue(options.userAgent) else {
            throw .invalidRequest(reason: "the user agent is not the value of a header field")
        }
        loop = try TransferLoop(TransferSettings(options))
        try loop.start()
    }

    package func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        let prepared = try PreparedRequest(request)
        let ticket = loop.makeTicket()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.submit(Submission(ticket: ticket, request: prepared, continuation: continuation))
            }
        } onCancel: {
            loop.cancel(ticket)
        }
        return try result.get()
    }

    /// Ends the transport. Requests under way and later ones fail with `stopped`; the call itself does not wait.
    package func shutdown() { loop.stop() }

    deinit { loop.stop() }
}
