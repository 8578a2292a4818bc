import BrokerCore
import HTTPTransport
import Testing

@Suite("Setting values") struct SettingValueTests {
    enum Colour: String, SettingChoice { case red, darkBlue = "dark-blue" }

    private func decoded<Value: SettingValue>(_ type: Value.Type, _ raw: RawSetting) -> Value? { try? Value.decode(raw).get() }

    private func complaint<Value: SettingValue>(_ type: Value.Type, _ raw: RawSetting) -> String? {
        guard case .failure(let complaint) = Value.decode(raw) else { return nil }
        return complaint.description
    }

    @Test("strings") func strings() {
        #expect(decoded(String.self, .string("a")) == "a")
        #expect(decoded(String.self, .text("")) == "")
        #expect(complaint(String.self, .integer(1)) == "expected a string, found a number")
        #expect(complaint(String.self, .list([])) == "expected a string, found a list")
    }

    @Test("true and false, and nothing that resembles them") func booleans() {
        #expect(decoded(Bool.self, .boolean(true)) == true)
        #expect(decoded(Bool.self, .text("false")) == false)
        for raw in [RawSetting.string("true"), .text("True"), .text("1"), .text(""), .integer(1), .other(kind: "null")] {
            #expect(decoded(Bool.self, raw) == nil)
        }
    }

    @Test("whole numbers") func numbers() {
        #expect(decoded(Int.self, .integer(-5)) == -5)
        #expect(decoded(Int.self, .text("0042")) == 42)
        for text in ["", "+5", "5.0", "5 ", "0x5", "9223372036854775808", "five"] {
            #expect(decoded(Int.self, .text(text)) == nil, "\(text)")
        }
        #expect(complaint(Int.self, .string("5")) == "expected a whole number, found a string")
    }

    @Test("lists, and one string for a list of one") func lists() {
        #expect(decoded([String].self, .list(["a", "b"])) == ["a", "b"])
        #expect(decoded([String].self, .string("a,b")) == ["a,b"])
        #expect(decoded([String].self, .string("")) == [])
        #expect(decoded([String].self, .text(" a, b ,,c")) == ["a", "b", "c"])
        #expect(decoded([String].self, .text("")) == [])
        #expect(complaint([String].self, .boolean(true)) == "expected a list of strings, found a boolean")
    }

    @Test(
        "durations are written back as they are read",
        arguments: [
            ("500ms", 500, "500ms"), ("10s", 10_000, "10s"), ("5m", 300_000, "5m"), ("1h", 3_600_000, "1h"), ("1500ms", 1500, "1500ms"),
            ("60s", 60_000, "1m"), ("120m", 7_200_000, "2h"), ("0s", 0, "0s"), ("0ms", 0, "0s"),
        ]) func durations(text: String, milliseconds: Int64, written: String) throws
    {
        let value = try #require(decoded(Duration.self, .text(text)))
        #expect(value == .milliseconds(milliseconds))
        #expect(value.settingText == written)
        #expect(decoded(Duration.self, .string(text)) == value)
        #expect(decoded(Duration.self, .string(written)) == value)
    }

    @Test(
        "what is no duration",
        arguments: ["", "s", "10", "-1s", "+1s", "1.5s", "1 s", "10S", "10sec", "1000000001s", "99999999999999999999h"]) func badDurations(
            text: String
        )
    { #expect(decoded(Duration.self, .string(text)) == nil) }

    @Test("a number is no duration, because it has no unit") func unitless() {
        #expect(complaint(Duration.self, .integer(10)) == "expected a duration such as 500ms, 10s, 5m or 1h, found a number")
    }

    @Test("choices name all of them") func choices() {
        #expect(decoded(Colour.self, .string("dark-blue")) == .darkBlue)
        #expect(decoded(Colour.self, .string("darkBlue")) == nil)
        #expect(Colour.settingType == "one of red, dark-blue")
        #expect(complaint(Colour.self, .text("canary")) == "expected one of red, dark-blue, found something else")
        #expect(complaint(Colour.self, .boolean(true)) == "expected one of red, dark-blue, found a boolean")
    }

    @Test("endpoints are host names") func endpoints() {
        #expect(decoded(Endpoint.self, .string("Contoso.Vault.Azure.Net"))?.description == "contoso.vault.azure.net")
        #expect(complaint(Endpoint.self, .string("10.0.0.1")) == "'10.0.0.1' is an IP address; write the host name of the service")
        #expect(complaint(Endpoint.self, .integer(1)) == "expected a host name, found a number")
    }

    @Test("each type writes itself as JSON would") func rawSettings() throws {
        #expect("a".rawSetting == .string("a"))
        #expect(true.rawSetting == .boolean(true))
        #expect(7.rawSetting == .integer(7))
        #expect(["a", "b"].rawSetting == .list(["a", "b"]))
        #expect(Duration.seconds(90).rawSetting == .string("90s"))
        #expect(Colour.darkBlue.rawSetting == .string("dark-blue"))
        #expect(try Endpoint("a.example.com:8443").rawSetting == .string("a.example.com:8443"))
    }
}
