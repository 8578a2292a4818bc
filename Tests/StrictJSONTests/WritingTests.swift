import StrictJSON
import Testing

@Suite struct WritingTests {
    @Test func writesExactBytes() {
        let value: JSONValue = [
            "b": [1, -2, 1.5, 1e20, true, false, nil], "a": ["z": "\"\\/\u{8}\u{9}\u{A}\u{C}\u{D}\u{1}\u{1F}\u{7F}é😀"], "e": [], "f": [:],
        ]
        #expect(
            text(value.serialized())
                == "{\"b\":[1,-2,1.5,1e+20,true,false,null],\"a\":{\"z\":\"\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\\u001f\u{7F}é😀\"},\"e\":[],\"f\":{}}"
        )
        #expect(
            text((["b": 1, "a": ["d": 2, "c": 3], "B": 0] as JSONValue).serialized(sortedKeys: true))
                == "{\"B\":0,\"a\":{\"c\":3,\"d\":2},\"b\":1}")
        #expect(
            text((["a": [1, ["b": nil]], "e": [], "o": [:]] as JSONValue).serialized(pretty: true)) == """
                {
                  "a": [
                    1,
                    {
                      "b": null
                    }
                  ],
                  "e": [],
                  "o": {}
                }
                """)
        #expect(text(JSONValue.real(.infinity).serialized()) == "null")
    }

    @Test func whatIsWrittenReadsBackEqual() throws {
        let value: JSONValue = [
            "numbers": [0, .integer(.min), .integer(.max), 0.1, -0.0, .real(.leastNonzeroMagnitude), 1.7976931348623157e308, 100.0, 1e16],
            "text": .string(String(String.UnicodeScalarView((1...0x2FF).compactMap(Unicode.Scalar.init)))), "\" \\ \n": ["": nil],
        ]
        #expect(try JSONValue.parse(value.serialized()) == value)
        #expect(try JSONValue.parse(value.serialized(sortedKeys: true, pretty: true)) == value)
    }

    @Test func writerSeparatesMembersAndElements() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("keys")
        writer.beginArray()
        writer.beginObject()
        writer.endObject()
        writer.string("x")
        writer.null()
        writer.boolean(true)
        writer.endArray()
        writer.key("n")
        writer.integer(-1)
        writer.key("v")
        writer.value(["a": 1.0])
        writer.endObject()
        #expect(text(writer.bytes) == "{\"keys\":[{},\"x\",null,true],\"n\":-1,\"v\":{\"a\":1.0}}")
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
