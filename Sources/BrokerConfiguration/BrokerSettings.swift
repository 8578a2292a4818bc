internal import AzureServices
internal import BrokerCore
internal import BrokerObservability
internal import Logging
internal import PlainText

/// The settings that are not a provider's: declared with the same machinery, so that they are checked and documented in the same way.
enum BrokerSettings {
    /// Setting at the top level of the file.
    static let cloud = SettingKey<AzureCloud>(
        "cloud", default: .public, help: "Azure cloud, which decides host name suffixes and token audiences")
    static let server = Server()
    static let serverTLS = ServerTLS()
    static let callers = Callers()
    static let evidence = Evidence()
    static let verifiers = Verifiers()
    static let identity = Identity()
    static let tls = TLS()
    static let wrappingKeys = WrappingKeys()
    static let releaseSession = ReleaseSession()
    static let log = Log()
    static let audit = Audit()
    static let trace = Trace()
    static let grpc = GRPCSettings()
    static let keyProvider = KeyProviderSettings()

    /// What to say of a setting for gRPC; `nil` where this build has it.
    static var withoutGRPC: String? {
        #if GRPC
            nil
        #else
            "this build has no gRPC interface (it was built without the trait GRPC)"
        #endif
    }

    struct Server: SettingsGroup {
        let http = SettingKey<ListenSetting>(
            "http", default: ListenSetting(address: HostAndPort(listening: "127.0.0.1:8080")),
            help: "Address of the REST interface; anything but a loopback address wants client certificates or rules for callers")
        let httpUnprotected = SettingKey<Bool>(
            "http-unprotected", default: false,
            help: "Serve whoever reaches server.http although it is no loopback address and neither certificate nor rule says who may")
        let grpc = SettingKey<ListenSetting>(
            "grpc", default: ListenSetting(address: nil),
            help: "Address of the gRPC interface for tools that decrypt images, for example 127.0.0.1:50000",
            check: { $0.address == nil ? nil : BrokerSettings.withoutGRPC })
        let grpcUnprotected = SettingKey<Bool>(
            "grpc-unprotected", default: false,
            help: "Serve whoever reaches server.grpc although it is no loopback address and neither certificate nor rule says who may")
        let grpcUnix = SettingKey<String>(
            "grpc-unix", default: "", help: "Path of a unix socket that serves the gRPC interface as well",
            check: { $0.isEmpty ? nil : BrokerSettings.withoutGRPC ?? Self.socketPath($0) })
        let unixMode = SettingKey<SocketMode>(
            "unix-mode", default: SocketMode(bits: 0o660), help: "Permissions of the files of unix sockets, in octal")
        let unixGroup = SettingKey<String>(
            "unix-group", default: "", help: "Group, by name or number, that the files of unix sockets are given to")
        let unix = SettingKey<String>(
            "unix", default: "", help: "Path of a unix socket that serves the REST interface as well", check: Self.socketPath)
        let metrics = SettingKey<LoopbackListenSetting>(
            "metrics", default: LoopbackListenSetting(address: nil),
            help: "Address of a listener of its own for GET /metrics, for example 9464 or 0.0.0.0:9464; off when empty")
        let profile = SettingKey<ResponseProfile>(
            "profile", default: .compatible, help: "HTTP status codes: those of the original sidecar, or precise ones for each error code")
        let bodyLimit = SettingKey<Int>(
            "body-limit", default: 1 << 20, in: 1024...(32 << 20),
            help: "Longest request body in bytes; all bodies together have at most 32 MiB")
        let headerTimeout = SettingKey<Duration>(
            "header-timeout", default: .seconds(10), in: .milliseconds(100)...(.seconds(300)),
            help: "How long a client may take to send a request's head")
        let bodyTimeout = SettingKey<Duration>(
            "body-timeout", default: .seconds(30), in: .milliseconds(100)...(.seconds(600)),
            help: "How long a client may take to send a request's body")
        let idleTimeout = SettingKey<Duration>(
            "idle-timeout", default: .seconds(60), in: .milliseconds(100)...(.seconds(3600)),
            help: "How long a connection without a request stays open")
        let connectionLimit = SettingKey<Int>("connection-limit", default: 512, in: 1...65536, help: "Most connections at a time")
        let drainTimeout = SettingKey<Duration>(
            "drain-timeout", default: .seconds(10), in: .milliseconds(0)...(.seconds(600)),
            help: "How long requests in progress may take to finish at shutdown")
        let requestTimeout = SettingKey<Duration>(
            "request-timeout", default: .seconds(30), in: .milliseconds(100)...(.seconds(600)),
            help: "Deadline of one request, all its stages together")
        let releaseLimit = SettingKey<Int>(
            "release-limit", default: 64, in: 1...4096,
            help: "Most releases at a time; a quarter more for callers who have few of them")
        let releaseQueue = SettingKey<Int>(
            "release-queue", default: 256, in: 0...65536,
            help: "Most releases that wait for their turn; the next ones are answered with 429")
        let refusedKeyMemory = SettingKey<Duration>(
            "refused-key-memory", default: .seconds(2), in: .seconds(0)...(.seconds(60)),
            help: "How long the answer for a key that its store refused is given again without asking")
        let hosts = SettingKey<[String]>(
            "hosts", default: [],
            help:
                "Names that the Host field may have besides addresses and localhost: on a loopback address, and with profile precise on any"
        )

        // sun_path has 108 bytes including the terminating NUL (unix(7)).
        private static let socketPath: @Sendable (String) -> String? = { path in
            if path.isEmpty { return nil }
            guard path.hasPrefix("/"), !path.utf8.contains(0) else { return "expected an absolute path" }
            return path.utf8.count <= 107 ? nil : "the path of a socket has at most 107 bytes"
        }
    }

    struct Evidence: SettingsGroup {
        let productsFile = SettingKey<String>(
            "products-file", default: "",
            help: "JSON file with AMD products and floors beside those that are built in; 'plugins show snp --products' lists them all",
            check: { $0.utf8.contains(0) ? "a path has no NUL character" : nil })
    }

    struct Verifiers: SettingsGroup {
        let require = SettingKey<VerifierRequirement>(
            "require", default: .all,
            help: "Where several verifiers are in use: whose yes is needed before a key is asked for, that of all, of any that issues the "
                + "token, or of the first")
    }

    /// They have no defaults because what is unset comes from `AZURE_…` variables; an empty text is as good as nothing.
    struct Identity: SettingsGroup {
        let use = SettingKey<AzureIdentityOptions.Use>(
            "use", default: .auto,
            help: "Whose access tokens are presented to key stores: found out from the environment, or one kind, or none")
        let clientID = SettingKey<String>("client-id", help: "Client id of the user-assigned or workload identity", check: Self.plainText)
        let objectID = SettingKey<String>(
            "object-id", help: "Principal id of a user-assigned identity, instead of its client id", check: Self.plainText)
        let resourceID = SettingKey<String>(
            "resource-id", help: "ARM resource id of a user-assigned identity, instead of its client id", check: Self.plainText)
        let tenantID = SettingKey<String>("tenant-id", help: "Tenant of the workload identity", check: Self.plainText)
        let federatedTokenFile = SettingKey<String>(
            "federated-token-file", help: "File with the federated token, read again at each use")
        let authorityHost = SettingKey<String>(
            "authority-host", help: "Host of the token endpoint; the cloud's own when unset", check: Self.plainText)
        let imdsEndpoint = SettingKey<String>(
            "imds-endpoint", help: "Instance metadata service, http://HOST or http://HOST:PORT; http://169.254.169.254 when unset",
            check: Self.baseAddress)
        let timeout = SettingKey<Duration>(
            "timeout", default: .seconds(10), in: .milliseconds(100)...(.seconds(300)), help: "Bound on one attempt to get a token")

        // These become part of a query, so nothing that could end or split one passes.
        private static let plainText: @Sendable (String) -> String? = { text in
            if !text.utf8.consists(of: .visible - "\"#%&<>?\\") {
                return "expected letters, digits and the characters of an identifier, without spaces"
            }
            return text.utf8.count <= 512 ? nil : "an identifier has at most 512 characters"
        }

        private static let baseAddress: @Sendable (String) -> String? = { text in
            if text.isEmpty { return nil }
            let form = "expected http://HOST or http://HOST:PORT, without a path"
            guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else { return form }
            return HostAndPort(text.dropFirst(scheme.utf8.count), defaultPort: 80) == nil ? form : nil
        }
    }

    struct TLS: SettingsGroup {
        let caFile = SettingKey<[String]>(
            "ca-file", default: [], help: "PEM files with certificate authorities to trust as well, for TLS and release signatures")
        let connectTo = SettingKey<ConnectOverrides>(
            "connect-to", default: ConnectOverrides(list: []),
            help: "Connect elsewhere, as curl's --connect-to; names and certificate checks stay those of the original host")
    }

    struct WrappingKeys: SettingsGroup {
        let size = SettingKey<WrappingKeySize>(
            "size", default: .bits2048, help: "Bits of the RSA keys that released keys are wrapped to")
        let pool = SettingKey<Int>("pool", default: 2, in: 0...16, help: "How many wrapping keys are made ahead of time")
    }

    struct ReleaseSession: SettingsGroup {
        let maxAge = SettingKey<Duration>(
            "max-age", default: .seconds(30), in: .seconds(0)...(.seconds(3600)),
            help: "How long one wrapping key and its token serve releases of the same authority and store; 0s makes both for each release")
        let maxUses = SettingKey<Int>(
            "max-uses", default: 100, in: 0...1_000_000,
            help:
                "Most releases of one session; those that shared a request to the key store count once. 0 makes every wrapping key "
                + "single use"
        )
    }

    struct Trace: SettingsGroup {
        let otlpEndpoint = SettingKey<String>(
            "otlp-endpoint", default: "",
            help: "Collector that spans are sent to as OTLP in JSON, for example http://127.0.0.1:4318; off when empty",
            check: { $0.isEmpty || OTLPEndpoint($0) != nil ? nil : OTLPEndpoint.form })
    }
}
