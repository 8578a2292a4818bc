import StrictJSON
import Testing

@Suite struct ParsingTests {
    @Test func parsesEveryKindOfValue() throws {
        let text = """
             {"o":{},"a":[1,-2,9223372036854775807,-9223372036854775808],"s":"\\u00e9\\ud83d\\ude00\\n","r":1.5e3,"t":true,"f":false,"n":null}
            """
        let value = try JSONValue.parse(Array(text.utf8))
        #expect(
            value == ["o": [:], "a": [1, -2, .integer(.max), .integer(.min)], "s": "é😀\n", "r": 1500.0, "t": true, "f": false, "n": nil])
        guard case .object(let object) = value else {
            Issue.record("not an object")
            return
        }
        #expect(object.keys == ["o", "a", "s", "r", "t", "f", "n"])
    }

    @Test(arguments: [
        ("", JSONError.Kind.syntax), (" \n", .syntax), ("1", .syntax), ("\"a\"", .syntax), ("null", .syntax), ("true", .syntax),
        ("{", .syntax), ("[1,]", .syntax), ("{\"a\":1,}", .syntax), ("{'a':1}", .syntax), ("{a:1}", .syntax), ("[01]", .syntax),
        ("[+1]", .syntax), ("[.5]", .syntax), ("[1.]", .syntax), ("[NaN]", .syntax), ("[Infinity]", .syntax), ("[0x10]", .syntax),
        ("[1]//c", .trailingData), ("[1] [2]", .trailingData), ("{}{}", .trailingData), ("{},", .trailingData), ("[]]", .trailingData),
        ("[1e999]", .syntax), ("[9223372036854775808]", .syntax), ("[-9223372036854775809]", .syntax), ("[\"\\u0000\"]", .syntax),
        ("{\"\\u0000\":1}", .syntax), ("[\"\\ud800\"]", .syntax), ("[\"\\udc00\\ud800\"]", .syntax), ("[\"\t\"]", .syntax),
        ("[\"\\x41\"]", .syntax), ("[\"open]", .syntax), ("[\"\\\"]", .syntax), ("\u{FEFF}{}", .syntax), ("[1}", .syntax), ("}{", .syntax),
        ("][", .syntax), ("tru{}", .syntax), ("{\"a\":1,\"a\":2}", .duplicateKey), ("{\"a\":1,\"\\u0061\":2}", .duplicateKey),
        ("[{\"b\":{\"a\":1,\"x\":0,\"a\":1}}]", .duplicateKey),
    ]) func refuses(_ text: String, _ kind: JSONError.Kind) { #expect(kinds(text) == kind, "\(text)") }

    @Test(
        arguments: [
            [0x5B, 0x22, 0xC0, 0x80, 0x22, 0x5D], [0x5B, 0x22, 0xED, 0xA0, 0x80, 0x22, 0x5D], [0x5B, 0x22, 0xFF, 0x22, 0x5D],
            [0x5B, 0x22, 0xF4, 0x90, 0x80, 0x80, 0x22, 0x5D], [0x5B, 0x22, 0xE2, 0x82], [0x5B, 0x5D, 0x00], [0x00, 0x5B, 0x5D],
            [0x5B, 0x22, 0x00, 0x22, 0x5D],
        ] as [[UInt8]]) func refusesBytes(_ bytes: [UInt8])
    { #expect(throws: JSONError.self) { try JSONValue.parse(bytes) } }

    @Test func namesThatDifferInCaseOrNormalFormAreDifferentMembers() throws {
        let value = try JSONCursor.parse(Array("{\"Kid\":1,\"kid\":2,\"\u{212A}id\":3,\"\u{E9}\":4,\"e\u{301}\":5}".utf8))
        #expect(try value.integer("Kid") == 1)
        #expect(try value.integer("kid") == 2)
        #expect(try value.integer("\u{212A}id") == 3)
        #expect(try value.integer("\u{E9}") == 4)
        #expect(try value.integer("e\u{301}") == 5)
        let onlyKelvin = try JSONCursor.parse(Array("{\"\u{212A}id\":3}".utf8))
        #expect(try onlyKelvin.optional("Kid") == nil)
        #expect(throws: JSONError.self) { try onlyKelvin.rejectMembers(except: ["Kid"]) }
        #expect(JSONValue.string("\u{212A}") != .string("K"))
    }

    @Test func boundsBytesDepthAndValuesBeforeParsing() throws {
        var limits = JSONLimits(maximumBytes: 10, maximumDepth: 3, maximumValues: 4)
        #expect(throws: Never.self) { try JSONValue.parse(Array("[[[1234]]]".utf8), limits: limits) }
        #expect(kinds("[[[12345]]]", limits) == .tooLarge)
        #expect(kinds("[[[[1]]]]", limits) == .tooDeep)
        #expect(kinds("[1,2,3,4]", limits) == nil)
        #expect(kinds("[1,2,3,,,", limits) == .tooLarge)
        limits.maximumBytes = 100
        #expect(kinds("[\"[[[[[[\\\"[[[[[,,,,,,\"]", limits) == nil)
        #expect(kinds("{\"[[[[[[\":{\"{{\":[]}}", limits) == nil)
    }

    @Test func deepNestingIsAnErrorAndNotACrash() throws {
        for count in [33, 2_000, 100_000, 1_000_000] {
            #expect(kinds(String(repeating: "[", count: count)) == .tooDeep)
            #expect(kinds(String(repeating: "{\"a\":", count: min(count, 150_000))) == .tooDeep)
        }
        let limits = JSONLimits(maximumDepth: .max)
        let deepest = String(repeating: "[", count: 256) + String(repeating: "]", count: 256)
        #expect(kinds(deepest, limits) == nil)
        #expect(kinds("[" + deepest + "]", limits) == .tooDeep)
    }

    @Test func bigIntegersBecomeRealsOnRequestAndLeaveTheOthersExact() throws {
        let limits = JSONLimits(bigIntegers: .asReal)
        let text =
            "{\"a\":[9007199254740993,18446744073709551615,-9223372036854775809],\"99999999999999999999\":\"\\\"99999999999999999999\"}"
        #expect(
            try JSONValue.parse(Array(text.utf8), limits: limits) == [
                "a": [.integer(9_007_199_254_740_993), 18_446_744_073_709_551_615.0, -9_223_372_036_854_775_809.0],
                "99999999999999999999": "\"99999999999999999999",
            ])
        #expect(kinds("[1e999]", limits) == .syntax)
        #expect(kinds("[" + String(repeating: "9", count: 400) + "]", limits) == .syntax)
        #expect(kinds("[099999999999999999999]", limits) == .syntax)
    }

    @Test func errorsGiveLineAndByteOfTheDocument() throws {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(Array("{\n\"é\": 1,\n\"b\": x}".utf8)) }
        #expect(error?.line == 3)
        #expect(error?.position == 17)
        #expect(error?.description == "line 3, byte 17: not valid JSON")
        let depth = #expect(throws: JSONError.self) { try JSONValue.parse(Array("[\n[[".utf8), limits: JSONLimits(maximumDepth: 2)) }
        #expect(depth?.line == 2)
        #expect(depth?.position == 3)
    }

    @Test func positionsAreThoseOfTheOriginalAlsoAfterBigIntegersWereRewritten() throws {
        let big = "18446744073709551615"
        let plain = #expect(throws: JSONError.self) { try JSONValue.parse(Array("[1,1,x]".utf8)) }
        let rewritten = #expect(throws: JSONError.self) {
            try JSONValue.parse(Array("[\(big),\(big),x]".utf8), limits: JSONLimits(bigIntegers: .asReal))
        }
        let offset = try #require(plain?.position)
        #expect(rewritten?.position == offset + 2 * (big.utf8.count - 1))
    }

    @Test func errorsNeverQuoteTheDocument() throws {
        let secret = "hunter2"
        for text in ["{\"a\":\"\(secret)\",\"a\":1}", "[\(secret)]", "[\"\(secret)]", "[\"\(secret)\"] \(secret)"] {
            let error = #expect(throws: JSONError.self) { try JSONValue.parse(Array(text.utf8)) }
            #expect(error.map { !"\($0)".contains(secret) } == true)
        }
    }

    @Test func parsesOnManyThreadsAtOnce() async throws {
        let bytes = Array("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\"},{\"kty\":\"EC\"}],\"nested\":{\"a\":{\"b\":[1,2,3]}}}".utf8)
        let expected = try JSONValue.parse(bytes)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<64 { group.addTask { (0..<50).allSatisfy { _ in (try? JSONValue.parse(bytes)) == expected } } }
            for await isEqual in group { #expect(isEqual) }
        }
    }

    @Test func mutatedDocumentsAreRefusedOrReadBackEqual() throws {
        let original = Array(
            "{\"a\":[1,-2.5e1,\"x\\u00e9\\ud83d\\ude00y\",{\"b\":null,\"\":[[]]}],\"c\":true,\"é\":9223372036854775807}".utf8)
        let alphabet = Array("{}[]\",:\\u0e19-.+tfn \n\0\u{7F}é".utf8)
        // A linear congruential generator, so that a failure can be repeated.
        var state: UInt64 = 1
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var accepted = 0
        for _ in 0..<4_000 {
            var bytes = original
            for _ in 0...next(3) {
                let position = next(bytes.count)
                switch next(4) {
                case 0: bytes[position] = alphabet[next(alphabet.count)]
                case 1: bytes.insert(alphabet[next(alphabet.count)], at: position)
                case 2: bytes.remove(at: position)
                default: bytes[position] ^= 1 << UInt8(next(8))
                }
            }
            for limits in [JSONLimits(), JSONLimits(bigIntegers: .asReal)] {
                guard let value = try? JSONValue.parse(bytes, limits: limits) else { continue }
                accepted += 1
                #expect(try JSONValue.parse(value.serialized(), limits: limits) == value)
            }
        }
        #expect(accepted > 100)
    }

    @Test func everyPrefixOfADocumentIsRefused() throws {
        let bytes = Array("{\"a\":[1,2.5e1,\"x\\u00e9y\",{\"b\":null}],\"c\":true}".utf8)
        for length in 0..<bytes.count { #expect(throws: JSONError.self) { try JSONValue.parse(Array(bytes[..<length])) } }
        #expect(throws: Never.self) { try JSONValue.parse(bytes) }
    }

    private func kinds(_ text: String, _ limits: JSONLimits = JSONLimits()) -> JSONError.Kind? {
        do throws(JSONError) {
            _ = try JSONValue.parse(Array(text.utf8), limits: limits)
            return nil
        } catch { return error.kind }
    }
}
