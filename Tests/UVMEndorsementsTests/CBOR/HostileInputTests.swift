import UVMEndorsements
import Testing

@Suite("CBOR from somebody who means harm") struct HostileInputTests {
    private func kind(_ hex: String, limits: CBORLimits = CBORLimits()) throws -> CBORError.Kind? {
        let data = try bytes(hex)
        return #expect(throws: CBORError.self, "\(hex)") { try CBORValue.parse(data, limits: limits) }?.kind
    }

    @Test("nothing at all") func empty() throws { #expect(try kind("") == .truncated) }

    @Test(
        "an item that ends early",
        arguments: [
            "18", "1901", "1a010203", "1b01020304050607", "41", "420a", "6261", "81", "8201", "a1", "a101", "a20102", "c1", "d9d9f7", "f8",
            "f900", "fa000000", "fb00000000000000",
        ]) func truncated(_ hex: String) throws
    { #expect(try kind(hex) == .truncated) }

    @Test(
        "a length far beyond the data takes no memory",
        arguments: [
            "5bffffffffffffffff", "7bffffffffffffffff", "9bffffffffffffffff", "bbffffffffffffffff", "5b7fffffffffffffff",
            "9b7fffffffffffffff", "bb7fffffffffffffff", "bb8000000000000000", "9affffffff", "5affffffff", "a20102", "8400",
        ]) func hugeLengths(_ hex: String) throws
    { #expect(try kind(hex) == .truncated) }

    @Test(
        "indefinite lengths, and a break without one",
        arguments: ["5f42010243030405ff", "7f61616162ff", "9f01ff", "bf0102ff", "ff", "81ff", "1f", "3f", "df00"]) func indefinite(
            _ hex: String
        ) throws
    { #expect(try kind(hex) == .indefiniteLength) }

    @Test("reserved forms", arguments: ["1c", "1d", "1e", "3c", "5c", "7d", "9e", "bc", "dc", "fc", "fd", "fe", "f800", "f81f"])
    func reserved(_ hex: String) throws { #expect(try kind(hex) == .malformed) }

    @Test(
        "a key that occurs twice, also where it is written in two ways",
        arguments: ["a201000100", "a26161016161 02", "a2010018010 0", "a24101004101 00", "a220003800 00"].map { $0.filter { $0 != " " } })
    func duplicateKeys(_ hex: String) throws { #expect(try kind(hex) == .duplicateKey) }

    @Test("the same text as a string and as bytes are two keys") func differentKindsOfKey() throws {
        #expect(try CBORValue.parse(bytes("a2616101416102")).map?.count == 2)
    }

    @Test("keys that are neither integers nor strings", arguments: ["a18000", "a1a000", "a1f500", "a1c10000", "a1f9000000"]) func oddKeys(
        _ hex: String
    ) throws { #expect(try kind(hex) == .unsupportedKey) }

    @Test("something after the item", arguments: ["0000", "8000", "a000", "f6f6", "4000", "d28000"]) func trailing(_ hex: String) throws {
        #expect(try kind(hex) == .trailingData)
    }

    @Test("text that is not UTF-8", arguments: ["61ff", "62c328", "63eda080", "64f4908080", "62c080", "61c3", "a161ff00"]) func badText(
        _ hex: String
    ) throws { #expect(try kind(hex) == .invalidText) }

    @Test("nesting of arrays, maps and tags is bounded", arguments: ["81", "a100", "c1", "8200"]) func nesting(_ opening: String) throws {
        let limits = CBORLimits(maximumDepth: 4)
        _ = try CBORValue.parse(bytes(String(repeating: opening, count: 4) + "00"), limits: limits)
        #expect(try kind(String(repeating: opening, count: 5) + "00", limits: limits) == .tooDeep)
    }

    @Test("no caller can allow a depth that exhausts the stack") func depthCeiling() throws {
        let limits = CBORLimits(maximumDepth: .max, maximumItems: .max)
        #expect(try kind(String(repeating: "81", count: 200_000), limits: limits) == .tooDeep)
    }

    @Test("a million small items are refused before they are stored") func manyItems() throws {
        let limits = CBORLimits(maximumBytes: 1 << 21, maximumItems: 1000)
        let flat = [0x9A, 0x00, 0x0F, 0x42, 0x40] + [UInt8](repeating: 0, count: 1_000_000)
        let error = #expect(throws: CBORError.self) { try CBORValue.parse(flat, limits: limits) }
        #expect(error == CBORError(.tooManyItems, offset: 0))
        // Many small arrays add up as well.
        let nested: [UInt8] = [0x99, 0x01, 0xF4] + [[UInt8]](repeating: [0x82, 0, 0], count: 500).joined()
        let second = #expect(throws: CBORError.self) { try CBORValue.parse(nested, limits: limits) }
        #expect(second?.kind == .tooManyItems)
    }

    @Test("data above the size limit is not read at all") func size() throws {
        let limits = CBORLimits(maximumBytes: 8)
        _ = try CBORValue.parse(bytes("4701020304050607"), limits: limits)
        #expect(try kind("ffffffffffffffffff", limits: limits) == .tooLarge)
    }

    @Test("random bytes are read or refused, never more; what was read writes back to an equal value") func randomBytes() throws {
        var random = CBORSplitMix(seed: 0x5EED)
        var accepted = 0
        for _ in 0..<20_000 {
            let data = (0..<Int(random.next() % 24)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            guard let value = try? CBORValue.parse(data) else { continue }
            accepted += 1
            #expect(try CBORValue.parse(value.encoded()) == value)
        }
        #expect(accepted > 100)
    }
}

/// A small seeded generator, so that a failure can be repeated.
struct CBORSplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
