import BrokerConfiguration
import BrokerCore
import StrictJSON
import Testing

@Suite("Documentation from declarations") struct ReferenceTests {
    @Test("the example file names every default and loads without a complaint") func example() throws {
        let registry = try TestRegistry.make()
        let bytes = SettingsReference(registry).exampleJSON().serialized(pretty: true)
        let configuration = try load(String(decoding: bytes, as: UTF8.self), registry: registry)
        #expect(configuration.warnings.isEmpty)
        let named = Set(configuration.effective.filter { $0.source != .builtIn }.map(\.path))
        for entry in SettingsCatalogue(registry).entries where entry.declaration.defaultSetting != nil {
            #expect(named.contains(entry.path), "\(entry.path) is missing")
        }
    }

    @Test("every setting has a unique path, its own variable and one line of help") func catalogue() throws {
        let entries = SettingsCatalogue(try TestRegistry.make()).entries
        #expect(entries.count > 40)
        #expect(Set(entries.map(\.path)).count == entries.count)
        #expect(Set(entries.map(\.variable)).count == entries.count)
        for entry in entries {
            #expect(!entry.declaration.help.isEmpty)
            #expect(!entry.declaration.help.contains("\n"))
        }
    }

    @Test("the settings table has a row for each declaration") func markdown() throws {
        let registry = try TestRegistry.make()
        let text = SettingsReference(registry).settingsMarkdown()
        #expect(
            text.contains(
                """
                ### `key-stores.akv`

                | Setting | Type | Default | Description |
                | --- | --- | --- | --- |
                | `endpoint` | host name | none | Store |
                | `additional-endpoints` | list of strings | empty | More \\| stores |
                | `test-credential` | string | none | For tests (secret) |

                """))
        #expect(text.contains("### Top level\n"))
        #expect(text.contains("| `pool` | whole number | `2` | How many wrapping keys are made ahead of time (0 to 16) |"))
        for entry in SettingsCatalogue(registry).entries { #expect(text.contains("| `\(entry.declaration.name)` |")) }
        #expect(SettingsReference(registry).providersMarkdown().contains("| key store | `mhsm` | Store mhsm |\n"))
    }

    @Test("plugins list aligns its columns and marks what is in use") func list() throws {
        let reference = SettingsReference(try TestRegistry.make(stores: ["akv"]))
        #expect(
            reference.listText(inUse: ["evidence.snp"]) == """
                evidence provider  snp      in use  Evidence snp
                evidence provider  fixture          Evidence fixture
                verifier           maa              Verifier
                key store          akv              Store akv

                """)
        let json = reference.listJSON(inUse: ["evidence.snp"])
        #expect(
            String(decoding: json.serialized(), as: UTF8.self).hasPrefix(
                #"[{"kind":"evidence provider","name":"snp","block":"evidence.snp","summary":"Evidence snp","in_use":true},"#))
    }

    @Test("plugins show tells type, default and variable of each setting") func show() throws {
        let reference = SettingsReference(try TestRegistry.make())
        #expect(
            reference.showText("maa") == """
                verifier maa: Verifier
                Settings of verifier.maa:

                  endpoint
                      Authority
                      host name; default: none; BROKER_VERIFIER_MAA_ENDPOINT

                  timeout
                      Bound
                      duration (500ms, 10s, 5m, 1h); default: 10s; BROKER_VERIFIER_MAA_TIMEOUT

                  user-agent
                      User agent
                      string; default: empty; BROKER_VERIFIER_MAA_USER_AGENT

                """)
        #expect(reference.showText("fixture") == "evidence provider fixture: Evidence fixture\nIt has no settings.\n")
        #expect(reference.showText("mma") == nil)
        #expect(reference.showJSON("mma") == nil)
        #expect(reference.suggestion(forProvider: "mma") == "maa")
        let json = String(decoding: try #require(reference.showJSON("akv")).serialized(), as: UTF8.self)
        #expect(json.contains(#""path":"key-stores.akv.additional-endpoints","variable":"BROKER_KEY_STORES_AKV_ADDITIONAL_ENDPOINTS""#))
        #expect(json.contains(#""default":[]"#))
        #expect(json.contains(#""secret":true"#))
    }
}
