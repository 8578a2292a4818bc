import Testing

@testable import BrokerHTTP

/// The words that are recorded from the original for malformed input.
struct GoWordsTests {
    @Test(arguments: [
        ("not json", "invalid character 'o' in literal null (expecting 'u')"),
        ("tru3", "invalid character '3' in literal true (expecting 'e')"),
    ]) func aMisspeltLiteralIsNamed(_ text: String, _ complaint: String) {
        #expect(throws: Refusal.misspelt(complaint)) {
            try Array(text.utf8).withUnsafeBufferPointer { (bytes) throws(Refusal) in _ = try BodyMembers(bytes, as: .rawAttest) }
        }
    }

    @Test func deepNestingIsReadWithoutRecursion() {
        let text = String(repeating: "[", count: 200_000)
        #expect(throws: Refusal.self) {
            try Array(text.utf8).withUnsafeBufferPointer { (bytes) throws(Refusal) in _ = try BodyMembers(bytes, as: .rawAttest) }
        }
    }

    @Test(arguments: [("***", 0), ("aGVsbG8", 4), ("a", 0), ("aGVs=", 4), ("aGVsb===", 5), ("aGVs*G8=", 4), ("a=Vs", 1)])
    func base64Offsets(_ text: String, _ offset: Int) {
        #expect(throws: Refusal.base64(offset: offset)) { try RuntimeDataText.decode(text) }
    }

    @Test(arguments: [
        // Line breaks, unused bits that are set, a mixture of alphabets, no padding in the URL alphabet.
        "aGVs\nbG8=", "aGVsbG9=", "+_8=", "_-8", "",
    ]) func base64ThatGoMightTakeIsRefused(_ text: String) { #expect(throws: Refusal.self) { try RuntimeDataText.decode(text) } }

    @Test func bothAlphabets() throws {
        #expect(try RuntimeDataText.decode("aGVsbG8=") == Array("hello".utf8))
        #expect(try RuntimeDataText.decode("+/8=") == [0xFB, 0xFF])
        #expect(try RuntimeDataText.decode("-_8=") == [0xFB, 0xFF])
    }
}
