package import AzureServices
package import BrokerCore
package import BrokerEngine
package import BrokerObservability
package import HTTPTransport
package import Logging
package import PlainText

/// The whole configuration, checked: what `serve` starts with.
package struct BrokerConfiguration: Sendable {
    /// A provider that is in use, with its settings.
    package struct Provider: Sendable {
        package let name: String
        package let settings: Settings
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

    package struct Log: Sendable {
        package let level: Logger.Level
        package let format: LogLineFormat
        /// `nil` for standard error.
        package let file: String?
        /// Length at which the file is begun anew; 0 for never.
        package let rotate: Int
    }

    /// Who may ask for what, and how often.
    package struct Callers: Sendable {
        package let rules: AccessRules
        package let limits: CallerGate.Limits
        /// `nil` for none.
        package let bearerFile: String?
    }

    package struct Audit: Sendable {
        package let file: String
        package let isRequired: Bool
        package let keyFile: String?
        package let flush: AuditFlush
        package let maximumSize: Int
    }

    /// Keys of encrypted images.
    package struct KeyProvider: Sendable {
        package let name: String
        package let keys: KeyTable
        /// By canonical name.
        package let publicKeyFiles: [(kid: String, file: String)]
        package let endpoints: Set<Endpoint>
    }

    package let server: HTTPFrontEndOptions
    package let grpc: GRPCFrontEndOptions
    package let keyProvider: KeyProvider
    package var engine: BrokerEngine.Options
    package let evidence: Provider
    /// File of AMD products; `nil` for those that are built in.
    package let productsFile: String?
    /// At least one, in the order of `verifier.use`.
    package let verifiers: [Provider]
    package let verifierRule: VerifierRequirement
    /// The first of them.
    package var verifier: Provider { verifiers[0] }
    /// At least one, in the order of `key-stores.use`.
    package let keyStores: [Provider]
    package let identity: AzureIdentityOptions
    package let tls: TLS
    package let wrappingKeys: WrappingKeys
    package let log: Log
    package let callers: Callers
    /// `nil` where nothing is written down.
    package let audit: Audit?
    /// Where metrics are served; `nil` for nowhere.
    package let metrics: HostAndPort?
    /// Where spans are sent; `nil` for nowhere.
    package let spans: OTLPEndpoint?

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
    package var description: String { "\(path) = \(value.map { VisibleText.line($0) } ?? "(not set)") (\(source))" }
}
