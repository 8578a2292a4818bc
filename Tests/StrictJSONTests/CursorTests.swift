import StrictJSON
import Testing

@Suite struct CursorTests {
    let cursor = JSONCursor([
        "response": ["key": ["key_hsm": 7, "key_ops": ["a", nil], "n": "x"]], "expires_in": "86399", "count": 3, "ratio": 0.5, "on": true,
        "gone": nil,
    ])

    @Test func errorsNameThePath() {
        #expect(
            message { try cursor.member("response").member("key").string("key_hsm") }
                == "response.key.key_hsm: expected a string, found a number")
        #expect(message { try cursor.member("response").member("key").member("tags") } == "response.key.tags: required, but missing")
        #expect(
            message { try cursor.member("response").member("key").array("key_ops")[1].string() }
                == "response.key.key_ops[1]: expected a string, found null")
        #expect(message { try cursor.array() } == "expected an array, found an object")
        #expect(message { try cursor.string("response") } == "response: expected a string, found an object")
        #expect(message { try cursor.integer("ratio") } == "ratio: expected an integer, found a number with a fraction or exponent")
        #expect(message { try cursor.boolean("count") } == "count: expected a boolean, found a number")
        #expect(message { try cursor.member("count").member("x") } == "count: expected an object, found a number")
        #expect(message { try cursor.member("response").rejectMembers(except: ["keys"]) } == "response.key: unknown member")
    }

    @Test func readsTypedMembers() throws {
        #expect(try cursor.integer("count") == 3)
        #expect(try cursor.number("ratio") == 0.5)
        #expect(try cursor.number("count") == 3)
        #expect(try cursor.boolean("on"))
        #expect(try cursor.optional("gone") == nil)
        #expect(try cursor.optional("absent") == nil)
        #expect(try cursor.optionalString("absent") == nil)
        #expect(try cursor.member("gone").value == .null)
        #expect(throws: JSONError.self) { try cursor.optionalString("count") }
        #expect(try cursor.member("response").members().map(\.value.path) == ["response.key"])
    }

    @Test func readsIntegersWrittenAsStrings() throws {
        #expect(try cursor.integerOrNumericString("expires_in") == 86399)
        #expect(try cursor.integerOrNumericString("count") == 3)
        for text in ["", " 1", "1 ", "+1", "1.0", "1e3", "0x1", "９", "9223372036854775808", "--1"] {
            #expect(throws: JSONError.self, "\(text)") { try JSONCursor(.string(text)).integerOrNumericString() }
        }
        #expect(throws: JSONError.self) { try JSONCursor(1.0).integerOrNumericString() }
        #expect(throws: JSONError.self) { try JSONCursor(true).integerOrNumericString() }
    }

    @Test func namesFromTheDocumentAreBoundedAndPrintableInErrors() {
        let name = "x\n\u{1B}[31m" + String(repeating: "é", count: 5000)
        let text = message { try JSONCursor(.object(JSONObject([(name, 1)]))).rejectMembers(except: []) }
        #expect(text.unicodeScalars.count < 120)
        #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x1B })
    }

    private func message<R>(_ body: () throws -> R) -> String {
        do {
            _ = try body()
            return "no error"
        } catch { return "\(error)" }
    }
}
