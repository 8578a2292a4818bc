import BrokerConfiguration
import BrokerCore
import StrictJSON
import Testing

@Suite("Documentation from declarations") struct ReferenceTests {
    @Test("the example file names every setting, with its default or its help, and loads without a complaint") func example() throws {
        let registry = try TestRegistry.make()
        let bytes = SettingsReference(registry).exampleJSON().serialized(pretty: true)
        let configuration = try load(String(decoding: bytes, as: UTF8.self), registry: registry)
        #expect(configuration.warnings.isEmpty)
        let named = Set(configuration.effective.filter { $0.source != .builtIn }.map(\.path))
        for entry in SettingsCatalogue(registry).entries where entry.declaration.defaultSetting != nil {
            #expect(named.contains(entry.path), "\(entry.path) is missing")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        for entry in SettingsCatalogue(registry).entries where entry.declaration.defaultSetting == nil || entry.declaration.isSecret {
            #expect(text.contains("\"// \(entry.declaration.name)\": "), "\(entry.path) is missing")
            #expect(text.contains(entry.declaration.help), "\(entry.path) is not explained")
        }
    }

    @Test("a member of the file whose name begins with // is a comment, whatever its value") func comments() throws {
        let text = #"{"//":"mine","log":{"// level":["x"],"//":{"a":null}},"server":{"//http":1}}"#
        let configuration = try load(text, registry: try TestRegistry.make())
        #expect(configuration.warnings.isEmpty && configuration.effective.allSatisfy { $0.source == .builtIn })
    }

    @Test("a setting is explained by its path, its block and its variable") func explain() throws {
        let reference = SettingsReference(try TestRegistry.make())
        let text = try #require(reference.explainText("wrapping-keys.pool"))
        #expect(text == reference.explainText("BROKER_WRAPPING_KEYS_POOL"))
        for part in [
            "How many wrapping keys", "whole number; default: 2", #"{"wrapping-keys": {"pool": 2}}"#, "BROKER_WRAPPING_KEYS_POOL=2",
            "--set wrapping-keys.pool=2",
        ] { #expect(text.contains(part), "\(text)") }
        #expect(reference.explainText("wrapping-keys")?.contains(text) == true)
        #expect(reference.explainText("wrapping-keys.pol") == nil && reference.explainJSON("nonsense") == nil)
        #expect(reference.unknownSetting("wrapping-keys.pol").contains("wrapping-keys.pool"))
        #expect(reference.unknownSetting("BROKER_WRAPPING_KEYS_POL").contains("BROKER_WRAPPING_KEYS_POOL"))
        guard
            case .array(let settings)? = try JSONCursor.parse(try #require(reference.explainJSON("log")).serialized()).object()["settings"]
        else {
            Issue.record("no settings")
            return
        }
        #expect(settings.count >= 3)
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
