import BrokerConfiguration
import BrokerCore
import HTTPTransport

/// Providers with the names of the real ones and settings of every type. They are never made.
enum TestRegistry {
    enum Interface: String, SettingChoice { case auto, device, configfs }

    static let notMade = BrokerError(.internal, at: .startup, "not made in this test")

    static func make(
        evidence: [String] = ["snp", "fixture"], verifierSettings: [SettingDeclaration]? = nil, stores: [String] = ["akv", "mhsm"]
    ) throws -> ProviderRegistry {
        let evidenceSchema = SettingsSchema([
            SettingKey<Interface>("interface", default: .auto, help: "Which driver").declaration,
            SettingKey<Bool>("cache", default: true, help: "Keep endorsements").declaration,
            SettingKey<Int>("vmpl", default: 0, in: 0...3, help: "Privilege level").declaration,
        ])
        let verifierSchema = SettingsSchema(
            verifierSettings ?? [
                SettingKey<Endpoint>("endpoint", help: "Authority").declaration,
                SettingKey<Duration>("timeout", default: .seconds(10), help: "Bound").declaration,
                SettingKey<String>("user-agent", default: "", help: "User agent").declaration,
            ])
        let storeSchema = SettingsSchema([
            SettingKey<Endpoint>("endpoint", help: "Store").declaration,
            SettingKey<[String]>("additional-endpoints", default: [], help: "More | stores").declaration,
            SettingKey<String>("test-credential", secret: true, help: "For tests").declaration,
        ])
        return try ProviderRegistry(
            evidence: evidence.map { name in
                ProviderFactory(
                    name: name, summary: "Evidence \(name)", schema: name == "snp" ? evidenceSchema : .empty,
                    make: { _, _ throws(BrokerError) in throw notMade })
            },
            verifiers: [
                ProviderFactory(
                    name: "maa", summary: "Verifier", schema: verifierSchema, make: { _, _ throws(BrokerError) in throw notMade })
            ],
            keyStores: stores.map { name in
                ProviderFactory(
                    name: name, summary: "Store \(name)", schema: storeSchema, make: { _, _ throws(BrokerError) in throw notMade })
            })
    }
}

/// A configuration from the layers that a test names.
func load(
    _ json: String? = nil, environment: [String: String] = [:], set overrides: [(String, String)] = [],
    original: OriginalSidecarInputs? = nil, registry: ProviderRegistry? = nil
) throws -> BrokerConfiguration {
    try BrokerConfiguration.load(
        ConfigurationInputs(
            file: json.map { ConfigurationFile(name: "broker.json", bytes: Array($0.utf8)) }, environment: environment, original: original,
            overrides: overrides.map { SettingOverride(path: $0.0, text: $0.1) }), registry: try registry ?? TestRegistry.make())
}

/// The problems of the same, one text each; empty where there is none.
func problems(
    _ json: String? = nil, environment: [String: String] = [:], set overrides: [(String, String)] = [],
    original: OriginalSidecarInputs? = nil, registry: ProviderRegistry? = nil
) throws -> [String] {
    do {
        _ = try load(json, environment: environment, set: overrides, original: original, registry: registry)
        return []
    } catch let error as ConfigurationProblems { return error.problems.map(\.description) }
}

extension BrokerConfiguration { func effective(_ path: String) -> EffectiveSetting? { effective.first { $0.path == path } } }
