package import BrokerCore
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
        server = try Server(layers.settings(of: "server"))
        let choice = layers.catalogue.choice
        evidence = layers.provider(.evidence, try layers.settings(of: "evidence")(choice.evidence))
        verifier = layers.provider(.verifier, try layers.settings(of: "verifier")(choice.verifier))
        keyStores = try layers.settings(of: "key-stores")(choice.keyStores).map { layers.provider(.keyStore, $0) }
        identity = try Identity(layers.settings(of: "identity", keepsEmpty: false))
        tls = try TLS(layers.settings(of: "tls"), environment: environment)
        cloud = try layers.settings(of: "")(BrokerSettings.cloud)
        let wrapping = layers.settings(of: "wrapping-keys")
        wrappingKeys = WrappingKeys(
            size: try wrapping(BrokerSettings.WrappingKeys.size), pool: try wrapping(BrokerSettings.WrappingKeys.pool))
        let session = layers.settings(of: "release-session")
        let maxAge = try session(BrokerSettings.ReleaseSession.maxAge)
        let maxUses = try session(BrokerSettings.ReleaseSession.maxUses)
        releaseSession = maxAge > .zero && maxUses > 0 ? ReleaseSession(maxAge: maxAge, maxUses: maxUses) : nil
        let log = layers.settings(of: "log")
        self.log = Log(
            level: try log(BrokerSettings.Log.level), format: try log(BrokerSettings.Log.format),
            file: try log(BrokerSettings.Log.file).nilIfEmpty)
        warnings = layers.warnings
        let inUse = Set([evidence.settings.path, verifier.settings.path] + keyStores.map(\.settings.path))
        effective = layers.effective(providersInUse: inUse)
    }
}

extension BrokerConfiguration.Server {
    fileprivate init(_ settings: Settings) throws(BrokerError) {
        typealias Keys = BrokerSettings.Server
        http = try settings(Keys.http).address
        unix = try settings(Keys.unix).nilIfEmpty
        profile = try settings(Keys.profile)
        bodyLimit = try settings(Keys.bodyLimit)
        headerTimeout = try settings(Keys.headerTimeout)
        bodyTimeout = try settings(Keys.bodyTimeout)
        idleTimeout = try settings(Keys.idleTimeout)
        connectionLimit = try settings(Keys.connectionLimit)
        drainTimeout = try settings(Keys.drainTimeout)
        requestTimeout = try settings(Keys.requestTimeout)
        releaseLimit = try settings(Keys.releaseLimit)
        releaseQueue = try settings(Keys.releaseQueue)
    }
}

extension BrokerConfiguration.Identity {
    fileprivate init(_ settings: Settings) throws(BrokerError) {
        typealias Keys = BrokerSettings.Identity
        use = try settings(Keys.use)
        clientID = try settings.optional(Keys.clientID)
        objectID = try settings.optional(Keys.objectID)
        resourceID = try settings.optional(Keys.resourceID)
        tenantID = try settings.optional(Keys.tenantID)
        federatedTokenFile = try settings.optional(Keys.federatedTokenFile)
        authorityHost = try settings.optional(Keys.authorityHost)
        imdsEndpoint = try settings.optional(Keys.imdsEndpoint)
        timeout = try settings(Keys.timeout)
    }
}

extension BrokerConfiguration.TLS {
    // OpenSSL's meaning of the two variables: they take the place of the system's own authorities.
    fileprivate init(_ settings: Settings, environment: [String: String]) throws(BrokerError) {
        let file = environment["SSL_CERT_FILE"]?.nilIfEmpty
        let directories = (environment["SSL_CERT_DIR"] ?? "").split(separator: ":").map(String.init)
        let own = try settings(BrokerSettings.TLS.caFile).filter { !$0.isEmpty }
        trust = TLSTrust(
            files: own + (file.map { [$0] } ?? []), directories: directories, includesSystemDefaults: file == nil && directories.isEmpty)
        connectTo = try settings(BrokerSettings.TLS.connectTo).list
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
