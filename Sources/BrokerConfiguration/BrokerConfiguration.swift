package import BrokerCore
package import HTTPTransport
package import PlainText

/// The whole configuration, checked: what `serve` starts with.
package struct BrokerConfiguration: Sendable {
    package struct Server: Sendable {
        /// Address of the REST interface; `nil` where only the unix socket serves.
        package let http: HostAndPort?
        /// Absolute path of the unix socket, where there is one.
        package let unix: String?
        package let profile: ResponseProfile
        /// Bytes.
        package let bodyLimit: Int
        package let headerTimeout: Duration
        package let bodyTimeout: Duration
        package let idleTimeout: Duration
        package let connectionLimit: Int
        package let drainTimeout: Duration
        package let requestTimeout: Duration
        package let releaseLimit: Int
        package let releaseQueue: Int
    }

    /// A provider that is in use, with its settings.
    package struct Provider: Sendable {
        package let name: String
        package let settings: Settings
    }

    package struct Identity: Sendable {
        package let use: IdentityKind
        /// At most one of the three is there.
        package let clientID: String?
        package let objectID: String?
        package let resourceID: String?
        package let tenantID: String?
        package let federatedTokenFile: String?
        package let authorityHost: String?
        /// `http://HOST[:PORT]`, without a path.
        package let imdsEndpoint: String?
        /// Bound on one attempt to get a token.
        package let timeout: Duration
    }

    package struct TLS: Sendable {
        /// `tls.ca-file` with `SSL_CERT_FILE` and `SSL_CERT_DIR`; where one of these two is set, the system's own authorities do not count.
        package let trust: TLSTrust
        package let connectTo: [ConnectOverride]
    }

    package struct WrappingKeys: Sendable {
        package let size: WrappingKeySize
        package let pool: Int
    }

    /// One wrapping key and its token for several releases.
    package struct ReleaseSession: Sendable {
        package let maxAge: Duration
        package let maxUses: Int
    }

    package struct Log: Sendable {
        package let level: LogLevel
        package let format: LogFormat
        /// `nil` for standard error.
        package let file: String?
    }

    package let server: Server
    package let evidence: Provider
    package let verifier: Provider
    /// At least one, in the order of `key-stores.use`.
    package let keyStores: [Provider]
    package let identity: Identity
    package let tls: TLS
    package let cloud: Cloud
    package let wrappingKeys: WrappingKeys
    /// `nil` where each release makes its own.
    package let releaseSession: ReleaseSession?
    package let log: Log

    /// What works and still deserves a look, each one sentence for the start-up log.
    package let warnings: [String]
    /// The broker's settings, those of the providers in use, and every other one that somebody set.
    package let effective: [EffectiveSetting]
}

/// One setting as it applies, for `config check`.
package struct EffectiveSetting: Sendable, Equatable, CustomStringConvertible {
    package let path: String
    /// As an operator would write it; `<secret>` for a secret; `nil` where nothing is set and there is no default.
    package let value: String?
    package let source: ConfigurationSource

    /// `server.http = 127.0.0.1:8080 (default)`.
    package var description: String { "\(path) = \(value.map(VisibleText.line) ?? "(not set)") (\(source))" }
}
