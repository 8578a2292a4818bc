import BrokerCore
import Testing

@Suite("Provider registry") struct ProviderRegistryTests {
    private func verifier(_ name: String, _ settings: [String] = []) -> ProviderFactory<any Verifier> {
        ProviderFactory(
            name: name, summary: "", schema: SettingsSchema(settings.map { SettingKey<String>($0, help: "").declaration }),
            make: { _, _ throws(BrokerError) in throw BrokerError(.internal, at: .startup, "not made") })
    }

    private func complaint(_ verifiers: [ProviderFactory<any Verifier>]) -> String? {
        do {
            _ = try ProviderRegistry(evidence: [], verifiers: verifiers, keyStores: [])
            return nil
        } catch { return error.code == .misconfigured ? error.message : "wrong code" }
    }

    @Test("good names are found again, in the order of registration") func lookUp() throws {
        let registry = try ProviderRegistry(evidence: [], verifiers: [verifier("maa"), verifier("a-2")], keyStores: [])
        #expect(registry.verifiers.map(\.name) == ["maa", "a-2"])
        #expect(registry.verifier(named: "a-2")?.name == "a-2")
        #expect(registry.verifier(named: "MAA") == nil)
        #expect(registry.evidence(named: "maa") == nil)
        #expect(registry.keyStore(named: "maa") == nil)
    }

    @Test("two of one name are refused") func duplicates() {
        #expect(complaint([verifier("maa"), verifier("maa")]) == "verifier 'maa' is registered twice")
    }

    @Test(
        "a name that no file could hold is refused",
        arguments: ["", "use", "Maa", "m_a", "m.a", "m a", "maä", String(repeating: "a", count: 65)]) func badNames(name: String)
    { #expect(complaint([verifier(name)]) == "verifier '\(name)': a name is lower-case letters, digits and '-', and not 'use'") }

    @Test("settings that are declared twice or have bad names are refused", arguments: [["a", "a"], ["A"], ["a.b"], [""]]) func badSettings(
        names: [String]
    ) { #expect(complaint([verifier("maa", names)])?.hasPrefix("verifier 'maa' declares '\(names[names.count - 1])'") == true) }

    @Test("one name may stand for providers of two kinds") func kinds() throws {
        let evidence = ProviderFactory<any EvidenceProvider>(
            name: "maa", summary: "", schema: .empty,
            make: { _, _ throws(BrokerError) in throw BrokerError(.internal, at: .startup, "not made") })
        #expect(throws: Never.self) { try ProviderRegistry(evidence: [evidence], verifiers: [verifier("maa")], keyStores: []) }
    }
}
