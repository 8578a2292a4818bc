import BrokerCore
import Testing

@Suite("Declared settings") struct SettingsTests {
    private let timeout = SettingKey<Duration>("timeout", default: .seconds(10), in: .seconds(1)...(.seconds(60)), help: "Bound")
    private let name = SettingKey<String>("name", required: true, help: "Name")
    private let pin = SettingKey<Int>("pin", default: 4, in: 1...9, help: "Pin")

    @Test("a value wins over the default; without either the setting is missing") func reading() throws {
        let settings = Settings(path: "verifier.maa", values: ["timeout": .string("20s")])
        #expect(try settings(timeout) == .seconds(20))
        #expect(try Settings(path: "verifier.maa")(timeout) == .seconds(10))
        #expect(try settings.optional(name) == nil)
        #expect { try settings(name) } throws: { error in
            let error = error as? BrokerError
            return error?.code == .misconfigured && error?.stage == .startup && error?.message == "verifier.maa.name: required, but not set"
        }
    }

    @Test("a value that is wrong is misconfigured and names its path") func wrongValues() {
        let settings = Settings(path: "x", values: ["timeout": .string("2h"), "name": .integer(5), "pin": .text("10")])
        func message(_ body: () throws(BrokerError) -> Void) -> String? {
            do {
                try body()
                return nil
            } catch { return error.message }
        }
        #expect(message { () throws(BrokerError) in _ = try settings(timeout) } == "x.timeout: expected 1s to 1m, found 2h")
        #expect(message { () throws(BrokerError) in _ = try settings(name) } == "x.name: expected a string, found a number")
        #expect(message { () throws(BrokerError) in _ = try settings.optional(pin) } == "x.pin: expected 1 to 9, found 10")
    }

    @Test("a declaration says the same as its key") func declarations() {
        let declaration = timeout.declaration
        #expect(declaration.name == "timeout")
        #expect(declaration.type == "duration (500ms, 10s, 5m, 1h)")
        #expect(declaration.defaultText == "10s")
        #expect(declaration.defaultSetting == .string("10s"))
        #expect(declaration.help == "Bound (1s to 1m)")
        #expect(!declaration.isSecret && !declaration.isRequired)
        #expect(declaration.complaint(.text("5s")) == nil)
        #expect(declaration.complaint(.text("61s")) == "expected 1s to 1m, found 61s")
        #expect(declaration.complaint(.boolean(true)) == "expected a duration such as 500ms, 10s, 5m or 1h, found a boolean")
        #expect(name.declaration.isRequired)
        #expect(name.declaration.defaultText == nil)
        #expect(pin.declaration.defaultSetting == .integer(4))
        #expect(SettingKey<String>("s", secret: true, help: "").declaration.isSecret)
        #expect(!SettingKey<String>("s", default: "", required: true, help: "").declaration.isRequired)
    }

    @Test("a schema finds its declarations by name") func schema() {
        let schema = SettingsSchema([timeout.declaration, name.declaration])
        #expect(schema["name"]?.help == "Name")
        #expect(schema["pin"] == nil)
        #expect(SettingsSchema.empty.declarations.isEmpty)
    }
}
