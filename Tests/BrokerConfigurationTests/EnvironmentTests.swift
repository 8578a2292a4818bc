import BrokerConfiguration
import BrokerCore
import Testing

@Suite("Variables that are nobody's settings") struct EnvironmentTests {
    @Test("other programs' variables and BROKER_CONFIG are left alone") func others() throws {
        #expect(
            try problems(environment: ["PATH": "/bin", "BROKERAGE": "x", "broker_log_level": "x", "BROKER_CONFIG": "/etc/b.json"]) == [])
    }

    @Test(
        "what Kubernetes and Docker inject for a service called broker is no mistake",
        arguments: [
            ("BROKER_SERVICE_HOST", "10.0.0.1"), ("BROKER_SERVICE_PORT", "8080"), ("BROKER_SERVICE_PORT_HTTP", "8080"),
            ("BROKER_PORT", "tcp://10.0.0.1:8080"), ("BROKER_PORT_8080_TCP", "tcp://10.0.0.1:8080"), ("BROKER_PORT_8080_TCP_PROTO", "tcp"),
            ("BROKER_PORT_8080_TCP_PORT", "8080"), ("BROKER_PORT_8080_TCP_ADDR", "10.0.0.1"), ("BROKER_HTTP_SERVICE_HOST", "10.0.0.1"),
            ("BROKER_PORT_53_UDP_ADDR", "10.0.0.1"),
        ]) func serviceLinks(name: String, value: String) throws
    { #expect(try problems(environment: [name: value]) == []) }

    @Test(
        "anything else with the prefix is a problem with the nearest variable",
        arguments: [
            ("BROKER_PORT", "8080", "no setting has this variable"),
            ("BROKER_EVIDENCE", "fixture", "no setting has this variable; did you mean BROKER_EVIDENCE_USE?"),
            ("BROKER_EVIDENCE_USED", "fixture", "no setting has this variable; did you mean BROKER_EVIDENCE_USE?"),
            ("BROKER_KEYSTORES_USE", "akv", "no setting has this variable; did you mean BROKER_KEY_STORES_USE?"),
            ("BROKER_", "x", "no setting has this variable"),
        ]) func unknown(name: String, value: String, complaint: String) throws
    { #expect(try problems(environment: [name: value]) == ["environment \(name): \(complaint)"]) }

    @Test("a variable that could mean two settings is refused") func ambiguous() throws {
        let registry = try TestRegistry.make()
        let clash = try ProviderRegistry(
            evidence: registry.evidence, verifiers: registry.verifiers,
            keyStores: [
                ProviderFactory(
                    name: "akv", summary: "", schema: SettingsSchema([SettingKey<String>("x-y", default: "", help: "").declaration]),
                    make: { _, _ throws(BrokerError) in throw TestRegistry.notMade }),
                ProviderFactory(
                    name: "akv-x", summary: "", schema: SettingsSchema([SettingKey<String>("y", default: "", help: "").declaration]),
                    make: { _, _ throws(BrokerError) in throw TestRegistry.notMade }),
            ])
        #expect(
            try problems(environment: ["BROKER_KEY_STORES_AKV_X_Y": "1"], set: [("key-stores.use", "akv")], registry: clash) == [
                "environment BROKER_KEY_STORES_AKV_X_Y: stands for key-stores.akv.x-y and key-stores.akv-x.y; use the file instead"
            ])
    }
}
