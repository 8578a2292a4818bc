package import BrokerCore

/// What a provider does, and with it the block of the configuration in which it is chosen.
package enum ProviderRole: String, Sendable, CaseIterable {
    case evidence
    case verifier
    case keyStore = "key-stores"

    /// The block's path: `evidence`, `verifier`, `key-stores`.
    package var block: String { rawValue }

    /// For people: `evidence provider`, `verifier`, `key store`.
    package var title: String {
        switch self {
        case .evidence: "evidence provider"
        case .verifier: "verifier"
        case .keyStore: "key store"
        }
    }
}

/// What configuration and documentation need to know of a built-in provider.
package struct ProviderSummary: Sendable {
    package let role: ProviderRole
    package let name: String
    package let summary: String
    package let schema: SettingsSchema

    /// Where its settings are: `verifier.maa`.
    package var path: String { "\(role.block).\(name)" }
}

extension ProviderRegistry {
    /// All providers: evidence, verifiers, key stores, each in the order of registration.
    package var summaries: [ProviderSummary] {
        evidence.map { ProviderSummary(role: .evidence, name: $0.name, summary: $0.summary, schema: $0.schema) }
            + verifiers.map { ProviderSummary(role: .verifier, name: $0.name, summary: $0.summary, schema: $0.schema) }
            + keyStores.map { ProviderSummary(role: .keyStore, name: $0.name, summary: $0.summary, schema: $0.schema) }
    }
}
