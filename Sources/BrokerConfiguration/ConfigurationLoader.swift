internal import AzureServices
package import BrokerCore
internal import BrokerEngine
internal import BrokerObservability
internal import HTTPTransport

extension BrokerConfiguration {
    /// Lays the inputs over each other and checks the result against what is declared. Reads nothing itself: no file, no environment.
    ///
    /// All problems are reported together, also those of values that a later layer replaces.
    package static func load(_ inputs: ConfigurationInputs, registry: ProviderRegistry) throws(ConfigurationProblems) -> BrokerConfiguration
    {
        let catalogue = SettingsCatalogue(registry)
        var layers = ConfigurationLayers(catalogue)
        if let file = inputs.file { layers.apply(file) }
        layers.apply(inputs.original)
        layers.apply(environment: inputs.environment)
        layers.apply(inputs.overrides)
        layers.checkDefaults()
        CombinationChecks.run(&layers)
        guard layers.problems.isEmpty else { throw ConfigurationProblems(layers.problems) }
        do { return try BrokerConfiguration(layers, environment: inputs.environment) } catch {
            throw ConfigurationProblems([ConfigurationProblem(path: "", source: .builtIn, message: error.message)])
        }
    }

    private init(_ layers: ConfigurationLayers, environment: [String: String]) throws(BrokerError) {
        let settings = layers.settings(of: "server")
        let tlsSettings = layers.settings(of: "server.tls")
        let (files, listeners) = (try TLSFiles(tlsSettings), try tlsSettings(BrokerSettings.serverTLS.listeners))
        server = try HTTPFrontEndOptions(settings, tls: listeners == .grpc ? nil : files)
        grpc = try GRPCFrontEndOptions(settings, layers.settings(of: "grpc"), tls: listeners == .http ? nil : files)
        keyProvider = try KeyProvider(layers.settings(of: "key-provider"))
        engine = try BrokerEngine.Options(settings, session: layers.settings(of: "release-session"))
        let choice = layers.catalogue.choice
        evidence = layers.provider(.evidence, try layers.settings(of: "evidence")(choice.evidence))
        productsFile = try layers.settings(of: "evidence")(BrokerSettings.evidence.productsFile).nilIfEmpty
        let verifierSettings = layers.settings(of: "verifier")
        verifiers = try verifierSettings(choice.verifiers).names.map { layers.provider(.verifier, $0) }
        verifierRule = try verifierSettings(BrokerSettings.verifiers.require)
        keyStores = try layers.settings(of: "key-stores")(choice.keyStores).map { layers.provider(.keyStore, $0) }
        let cloud = try layers.settings(of: "")(BrokerSettings.cloud)
        identity = try AzureIdentityOptions(layers.settings(of: "identity", keepsEmpty: false), cloud)
        tls = try TLS(layers.settings(of: "tls"), environment: environment)
        let wrapping = layers.settings(of: "wrapping-keys")
        wrappingKeys = WrappingKeys(
            size: try wrapping(BrokerSettings.wrappingKeys.size), pool: try wrapping(BrokerSettings.wrappingKeys.pool))
        let log = layers.settings(of: "log")
        self.log = Log(
            level: try log(BrokerSettings.log.level), format: try log(BrokerSettings.log.format),
            file: try log(BrokerSettings.log.file).nilIfEmpty, rotate: try log(BrokerSettings.log.rotate))
        callers = try Callers(layers.settings(of: "callers"))
        audit = try Audit(layers.settings(of: "audit"))
        metrics = try settings(BrokerSettings.server.metrics).address
        spans = OTLPEndpoint(try layers.settings(of: "trace")(BrokerSettings.trace.otlpEndpoint))
        warnings = layers.warnings
        let inUse = Set([evidence.settings.path] + (verifiers + keyStores).map(\.settings.path))
        effective = layers.effective(providersInUse: inUse)
    }
}

extension HTTPFrontEndOptions {
    fileprivate init(_ settings: Settings, tls files: TLSFiles?) throws(BrokerError) {
        let keys = BrokerSettings.server
        self.init(
            http: try settings(keys.http).address, unix: try settings(keys.unix).nilIfEmpty, profile: try settings(keys.profile),
            bodyLimit: try settings(keys.bodyLimit), headerTimeout: try settings(keys.headerTimeout),
            bodyTimeout: try settings(keys.bodyTimeout), idleTimeout: try settings(keys.idleTimeout),
            connectionLimit: try settings(keys.connectionLimit), drainTimeout: try settings(keys.drainTimeout))
        hosts = try settings(keys.hosts)
        socketFile = try SocketFileOptions(settings)
        tls = files
    }
}

extension TLSFiles {
    fileprivate init?(_ settings: Settings) throws(BrokerError) {
        let keys = BrokerSettings.serverTLS
        guard let certificate = try settings(keys.certificate).nilIfEmpty else { return nil }
        self.init(
            certificate: certificate, key: try settings(keys.key), clientAuthorities: try settings(keys.clientAuthority).nilIfEmpty)
    }
}

extension SocketFileOptions {
    fileprivate init(_ settings: Settings) throws(BrokerError) {
        let keys = BrokerSettings.server
        self.init(mode: try settings(keys.unixMode).bits, group: try settings(keys.unixGroup).nilIfEmpty)
    }
}

extension GRPCFrontEndOptions {
    fileprivate init(_ settings: Settings, _ own: Settings, tls: TLSFiles?) throws(BrokerError) {
        let (keys, grpc) = (BrokerSettings.server, BrokerSettings.grpc)
        var places: [Place] = []
        if let tcp = try settings(keys.grpc).address { places.append(.tcp(tcp)) }
        if let path = try settings(keys.grpcUnix).nilIfEmpty { places.append(.unix(path)) }
        self.init(
            places: places, tls: tls, socketFile: try SocketFileOptions(settings), hasReflection: try own(grpc.reflection),
            messageLimit: try own(grpc.messageLimit), requestTimeout: try settings(keys.bodyTimeout),
            idleTimeout: try settings(keys.idleTimeout), connectionLimit: try settings(keys.connectionLimit),
            drainTimeout: try settings(keys.drainTimeout))
    }
}

extension BrokerConfiguration.Callers {
    fileprivate init(_ settings: Settings) throws(BrokerError) {
        let keys = BrokerSettings.callers
        rules = try settings(keys.rules).rules
        bearerFile = try settings(keys.bearerFile).nilIfEmpty
        limits = CallerGate.Limits(perCaller: try settings(keys.rate).rate, total: try settings(keys.totalRate).rate)
    }
}

extension BrokerConfiguration.Audit {
    fileprivate init?(_ settings: Settings) throws(BrokerError) {
        let keys = BrokerSettings.audit
        guard let file = try settings(keys.file).nilIfEmpty else { return nil }
        self.file = file
        isRequired = try settings(keys.required)
        keyFile = try settings(keys.keyFile).nilIfEmpty
        flush = try settings(keys.flush)
        maximumSize = try settings(keys.maximumSize)
    }
}

extension BrokerEngine.Options {
    fileprivate init(_ settings: Settings, session: Settings) throws(BrokerError) {
        let maxAge = try session(BrokerSettings.releaseSession.maxAge)
        let maxUses = try session(BrokerSettings.releaseSession.maxUses)
        self.init(
            requestTimeout: try settings(BrokerSettings.server.requestTimeout),
            releaseLimit: try settings(BrokerSettings.server.releaseLimit),
            releaseQueue: try settings(BrokerSettings.server.releaseQueue),
            session: maxAge > .zero && maxUses > 0 ? ReleaseSessionOptions(maxAge: maxAge, maxUses: maxUses) : nil)
        refusedKeyMemory = try settings(BrokerSettings.server.refusedKeyMemory)
    }
}

extension AzureIdentityOptions {
    fileprivate init(_ settings: Settings, _ cloud: AzureCloud) throws(BrokerError) {
        let keys = BrokerSettings.identity
        self.init(use: try settings(keys.use), cloud: cloud, timeout: try settings(keys.timeout))
        clientID = try settings.optional(keys.clientID)
        objectID = try settings.optional(keys.objectID)
        resourceID = try settings.optional(keys.resourceID)
        tenantID = try settings.optional(keys.tenantID)
        federatedTokenFile = try settings.optional(keys.federatedTokenFile)
        authorityHost = try settings.optional(keys.authorityHost)
        imdsEndpoint = try settings.optional(keys.imdsEndpoint)
    }
}

extension BrokerConfiguration.TLS {
    // OpenSSL's meaning of the two variables: they take the place of the system's own authorities.
    fileprivate init(_ settings: Settings, environment: [String: String]) throws(BrokerError) {
        let file = environment["SSL_CERT_FILE"]?.nilIfEmpty
        let directories = (environment["SSL_CERT_DIR"] ?? "").split(separator: ":").map(String.init)
        let own = try settings(BrokerSettings.tls.caFile).filter { !$0.isEmpty }
        trust = TLSTrust(
            files: own + (file.map { [$0] } ?? []), directories: directories, includesSystemDefaults: file == nil && directories.isEmpty)
        connectTo = try settings(BrokerSettings.tls.connectTo).list
    }
}

extension ConfigurationLayers {
    /// The values of one block, for typed reading.
    fileprivate func settings(of block: String, keepsEmpty: Bool = true) -> Settings {
        var own: [String: RawSetting] = [:]
        let prefix = block.isEmpty ? "" : block + "."
        for (path, value) in values where path.hasPrefix(prefix) {
            let name = String(path.dropFirst(prefix.count))
            if name.utf8.contains(UInt8(ascii: ".")) || !keepsEmpty && value.raw.text.isEmpty { continue }
            own[name] = value.raw
        }
        return Settings(path: block, values: own)
    }

    fileprivate func provider(_ role: ProviderRole, _ name: String) -> BrokerConfiguration.Provider {
        BrokerConfiguration.Provider(name: name, settings: settings(of: "\(role.block).\(name)"))
    }

    fileprivate func effective(providersInUse: Set<String>) -> [EffectiveSetting] {
        catalogue.entries.compactMap { entry in
            let value = values[entry.path]
            if let provider = entry.provider, value == nil, !providersInUse.contains(provider.path) { return nil }
            let text = value?.raw.text ?? entry.declaration.defaultText
            return EffectiveSetting(
                path: entry.path, value: entry.declaration.isSecret ? text.map { _ in "<secret>" } : text, source: value?.source ?? .builtIn
            )
        }
    }
}

extension String { fileprivate var nilIfEmpty: String? { isEmpty ? nil : self } }
