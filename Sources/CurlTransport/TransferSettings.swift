internal import HTTPTransport
internal import OpenSSLCrypto

/// What all transfers of one transport share.
struct TransferSettings: Sendable {
    let trust: @Sendable () throws(CryptoError) -> TrustStore
    let userAgent: String
    let connectTimeout: Duration
    let maximumConnections: Int
    let maximumConnectionsPerOrigin: Int
    let usesProxies: Bool
    private let connectTo: [ConnectOverride]

    init(_ options: CurlTransport.Options) {
        trust = options.trust
        userAgent = options.userAgent
        connectTimeout = options.connectTimeout
        maximumConnections = max(1, options.maximumConnections)
        maximumConnectionsPerOrigin = max(1, min(options.maximumConnectionsPerOrigin, maximumConnections))
        usesProxies = options.proxy == .environment
        connectTo = options.connectTo
    }

    /// The overrides for a request. "Every host" means every service: a metadata address is redirected only by name.
    func overrides(forMetadata isMetadata: Bool) -> [ConnectOverride] { isMetadata ? connectTo.filter { !$0.host.isEmpty } : connectTo }
}
