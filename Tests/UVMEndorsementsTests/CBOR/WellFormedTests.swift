import UVMEndorsements
import Testing

/// Examples of RFC 8949, appendix A, and what the reader makes of them.
@Suite("CBOR values") struct WellFormedTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let hex: String
        let value: CBORValue
        /// Whether writing gives the same bytes again; not so for half and single precision.
        var isShortest = true
        var testDescription: String { hex }
    }

    static let examples: [Example] = [
        Example(hex: "00", value: 0), Example(hex: "17", value: 23), Example(hex: "1818", value: 24), Example(hex: "1903e8", value: 1000),
        Example(hex: "1a000f4240", value: 1_000_000), Example(hex: "1bffffffffffffffff", value: .unsigned(.max)),
        Example(hex: "3bffffffffffffffff", value: .negative(.max)), Example(hex: "20", value: -1), Example(hex: "3903e7", value: -1000),
        Example(hex: "f4", value: .boolean(false)), Example(hex: "f5", value: .boolean(true)), Example(hex: "f6", value: .null),
        Example(hex: "f7", value: .undefined), Example(hex: "f0", value: .simple(16)), Example(hex: "f8ff", value: .simple(255)),
        Example(hex: "fb3ff199999999999a", value: .float(1.1)), Example(hex: "f90000", value: .float(0), isShortest: false),
        Example(hex: "f98000", value: .float(-0.0), isShortest: false), Example(hex: "f93e00", value: .float(1.5), isShortest: false),
        Example(hex: "f97bff", value: .float(65504), isShortest: false),
        Example(hex: "f90001", value: .float(5.960464477539063e-8), isShortest: false),
        Example(hex: "f90400", value: .float(0.00006103515625), isShortest: false),
        Example(hex: "f9c400", value: .float(-4), isShortest: false), Example(hex: "f97c00", value: .float(.infinity), isShortest: false),
        Example(hex: "f97e00", value: .float(.nan), isShortest: false),
        Example(hex: "fa47c35000", value: .float(100_000), isShortest: false), Example(hex: "40", value: .bytes([])),
        Example(hex: "4401020304", value: .bytes([1, 2, 3, 4])), Example(hex: "60", value: ""), Example(hex: "6449455446", value: "IETF"),
        Example(hex: "62c3bc", value: "\u{00FC}"), Example(hex: "64f0908591", value: "\u{10151}"), Example(hex: "80", value: []),
        Example(hex: "8301820203820405", value: [1, [2, 3], [4, 5]]), Example(hex: "a201020304", value: .map(CBORMap([(1, 2), (3, 4)]))),
        Example(hex: "a26161016162820203", value: .map(CBORMap([("a", 1), ("b", [2, 3])]))),
        Example(hex: "c11a514b67b0", value: .tagged(1, 1_363_896_240)),
        Example(hex: "d818456449455446", value: .tagged(24, .bytes([0x64, 0x49, 0x45, 0x54, 0x46]))),
    ]

    @Test("examples of RFC 8949 are read", arguments: examples) func reading(_ example: Example) throws {
        #expect(try CBORValue.parse(bytes(example.hex)) == example.value)
    }

    @Test("writing gives the shortest form back", arguments: examples.filter(\.isShortest)) func writing(_ example: Example) throws {
        #expect(example.value.encoded() == (try bytes(example.hex)))
    }

    @Test("lengths of every size survive writing and reading", arguments: [0, 23, 24, 255, 256, 65535, 65536, 70000]) func lengths(
        _ count: Int
    ) throws {
        let value = CBORValue.bytes([UInt8](repeating: 7, count: count))
        #expect(try CBORValue.parse(value.encoded()).bytes?.count == count)
    }

    @Test(
        "numbers in a longer form than necessary are read, unless the caller forbids it",
        arguments: ["1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "580101", "3800"]) func longForms(_ hex: String) throws
    {
        let data = try bytes(hex)
        _ = try CBORValue.parse(data)
        let error = #expect(throws: CBORError.self) { try CBORValue.parse(data, limits: CBORLimits(requiresShortestForm: true)) }
        #expect(error?.kind == .notShortest)
    }

    @Test("integers know whether Int64 can hold them") func integers() throws {
        #expect(CBORValue(Int64.min).integer == Int64.min)
        #expect(CBORValue(Int64.max).integer == Int64.max)
        #expect(CBORValue.unsigned(1 << 63).integer == nil)
        #expect(CBORValue.negative(1 << 63).integer == nil)
        #expect(CBORValue.text("1").integer == nil)
    }

    @Test("map keys are found by number and by the bytes of their name") func lookingUp() throws {
        // U+212A KELVIN SIGN is canonically equivalent to K, and another key.
        let map = CBORMap([(-1, "minus"), (1, "one"), ("\u{212A}", "kelvin")])
        #expect(map[-1] == "minus")
        #expect(map[1] == "one")
        #expect(map["\u{212A}"] == "kelvin")
        #expect(map["K"] == nil)
        #expect(map[2] == nil)
        #expect(CBORValue.text("K") != .text("\u{212A}"))
    }
}

/// The bytes of a hexadecimal text.
func bytes(_ hex: String) throws -> [UInt8] {
    let digits = Array(hex)
    return try stride(from: 0, to: digits.count, by: 2).map { index in
        try #require(UInt8(String(digits[index..<min(index + 2, digits.count)]), radix: 16))
    }
}
