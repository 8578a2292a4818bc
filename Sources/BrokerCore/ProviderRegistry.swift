internal import PlainText

/// How one provider is named, configured and made. The value that a provider target exports.
public struct ProviderFactory<Provider: Sendable>: Sendable {
    /// What an operator writes in `use`: lower-case letters, digits and `-`.
    public let name: String
    /// One line for `plugins list`.
    public let summary: String
    public let schema: SettingsSchema
    /// Makes the provider. Must not touch the network: a broker starts, and says that it is not ready, while its services are away.
    public let make: @Sendable (Settings, HostServices) throws(BrokerError) -> Provider

    public init(
        name: String, summary: String, schema: SettingsSchema,
        make: @escaping @Sendable (Settings, HostServices) throws(BrokerError) -> Provider
    ) {
        self.name = name
        self.summary = summary
        self.schema = schema
        self.make = make
    }
}

/// The providers that are built in. Immutable; duplicates and bad names are refused when it is made.
public struct ProviderRegistry: Sendable {
    public let evidence: [ProviderFactory<any EvidenceProvider>]
    public let verifiers: [ProviderFactory<any Verifier>]
    public let keyStores: [ProviderFactory<any KeyStore>]

    public init(
        evidence: [ProviderFactory<any EvidenceProvider>], verifiers: [ProviderFactory<any Verifier>],
        keyStores: [ProviderFactory<any KeyStore>]
    ) throws(BrokerError) {
        try Self.check(evidence.map { ($0.name, $0.schema) }, kind: "evidence provider")
        try Self.check(verifiers.map { ($0.name, $0.schema) }, kind: "verifier")
        try Self.check(keyStores.map { ($0.name, $0.schema) }, kind: "key store")
        self.evidence = evidence
        self.verifiers = verifiers
        self.keyStores = keyStores
    }

    /// The evidence provider of that name, where it is built in.
    public func evidence(named name: String) -> ProviderFactory<any EvidenceProvider>? { evidence.first { $0.name == name } }

    /// The verifier of that name, where it is built in.
    public func verifier(named name: String) -> ProviderFactory<any Verifier>? { verifiers.first { $0.name == name } }

    /// The key store of that name, where it is built in.
    public func keyStore(named name: String) -> ProviderFactory<any KeyStore>? { keyStores.first { $0.name == name } }

    private static func check(_ providers: [(name: String, schema: SettingsSchema)], kind: String) throws(BrokerError) {
        var seen: Set<String> = []
        for (name, schema) in providers {
            guard isName(name), name != "use" else {
                throw BrokerError(
                    .misconfigured, at: .startup, "\(kind) '\(name)': a name is lower-case letters, digits and '-', and not 'use'")
            }
            guard seen.insert(name).inserted else {
                throw BrokerError(.misconfigured, at: .startup, "\(kind) '\(name)' is registered twice")
            }
            var keys: Set<String> = []
            for declaration in schema.declarations where !isName(declaration.name) || !keys.insert(declaration.name).inserted {
                throw BrokerError(.misconfigured, at: .startup, "\(kind) '\(name)' declares '\(declaration.name)' twice or with a bad name")
            }
        }
    }

    private static func isName(_ text: String) -> Bool { text.utf8.consists(of: .lowercase + .digits + "-", count: 1...64) }
}
