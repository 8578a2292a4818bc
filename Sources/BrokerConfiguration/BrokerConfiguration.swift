public import BrokerCore
public import HTTPTransport

/// The whole configuration, checked: what `serve` starts with.
public struct BrokerConfiguration: Sendable {
    public struct Server: Sendable {
        /// Address of the REST interface; `nil` where only the unix socket serves.
        public let http: ListenAddress?
        /// Absolute path of the unix socket, where there is one.
        public let unix: String?
        public let profile: ResponseProfile
        /// Bytes.
        public let bodyLimit: Int
        public let headerTimeout: Duration
        public let bodyTimeout: Duration
        public let idleTimeout: Duration
        public let connectionLimit: Int
        public let drainTimeout: Duration
        public let requestTimeout: Duration
        public let releaseLimit: Int
        public let releaseQueue: Int
    }

    /// A provider that is in use, with its settings.
    public struct Provider: Sendable {
        public let name: String
        public let settings: Settings
    }

    public struct Identity: Sendable {
        public let use: IdentityKind
        /// At most one of the three is there.
        public let clientID: String?
        public let objectID: String?
        public let resourceID: String?
        public let tenantID: String?
        public let federatedTokenFile: String?
        public let authorityHost: String?
        /// `http://HOST[:PORT]`, without a path.
        public let imdsEndpoint: String?
        /// Bound on one attempt to get a token.
        public let timeout: Duration
    }

    public struct TLS: Sendable {
        /// `tls.ca-file` with `SSL_CERT_FILE` and `SSL_CERT_DIR`; where one of these two is set, the system's own authorities do not count.
        public let trust: TLSTrust
        public let connectTo: [ConnectOverride]
    }

    public struct WrappingKeys: Sendable {
        public let size: WrappingKeySize
        public let pool: Int
    }

    /// One wrapping key and its token for several releases.
    public struct ReleaseSession: Sendable {
        public let maxAge: Duration
        public let maxUses: Int
    }

    public struct Log: Sendable {
        public let level: LogLevel
        public let format: LogFormat
        /// `nil` for standard error.
        public let file: String?
    }

    public let server: Server
    public let evidence: Provider
    public let verifier: Provider
    /// At least one, in the order of `key-stores.use`.
    public let keyStores: [Provider]
    public let identity: Identity
    public let tls: TLS
    public let cloud: Cloud
    public let wrappingKeys: WrappingKeys
    /// `nil` where each release makes its own.
    public let releaseSession: ReleaseSession?
    public let log: Log

    /// What works and still deserves a look, each one sentence for the start-up log.
    public let warnings: [String]
    /// The broker's settings, those of the providers in use, and every other one that somebody set.
    public let effective: [EffectiveSetting]
}

/// One setting as it applies, for `config check`.
public struct EffectiveSetting: Sendable, Equatable, CustomStringConvertible {
    public let path: String
    /// As an operator would write it; `<secret>` for a secret; `nil` where nothing is set and there is no default.
    public let value: String?
    public let source: ConfigurationSource

    /// `server.http = 127.0.0.1:8080 (default)`.
    public var description: String { "\(path) = \(value.map(PrintableText.line) ?? "(not set)") (\(source))" }
}
