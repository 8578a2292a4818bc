import OpenSSLCrypto
import Testing

@Suite("Digests, random numbers and hexadecimal text") struct DigestTests {
    @Test(
        "The digests of FIPS 180-4 examples",
        arguments: [
            (DigestAlgorithm.sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (.sha384, "abc", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"),
            (
                .sha512, "abc",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
                    + "454d4423643ce80e2a9ac94fa54ca49f"
            ),
        ]) func knownDigests(algorithm: DigestAlgorithm, message: String, expected: String)
    { #expect(Hex.encode(algorithm.digest(Array(message.utf8))) == expected) }

    @Test("A digest has the size it says", arguments: DigestAlgorithm.allCases) func sizes(algorithm: DigestAlgorithm) {
        #expect(algorithm.digest([1, 2, 3]).count == algorithm.byteCount)
    }

    /// KnownAnswers.md, "Runtime data".
    @Test("The runtime data example") func runtimeData() {
        let text = #"{"keys":[{"e":"AQAB","key_ops":["encrypt"],"kid":"demo-kek","kty":"RSA","n":"AQAB"}]}"#
        #expect(
            Hex.encode(DigestAlgorithm.sha256.digest(Array(text.utf8)))
                == "5c67a6f006f75b7e162810e3cd125f8e8bfaf1f006ba5618afc578f6c6e1f3f6")
    }

    @Test("Random bytes have the length asked for and do not repeat") func randomBytes() {
        #expect(SecureRandom.bytes(0).isEmpty)
        #expect(SecureRandom.bytes(-1).isEmpty)
        #expect(SecureRandom.bytes(1000).count == 1000)
        #expect(SecureRandom.bytes(32) != SecureRandom.bytes(32))
        #expect(SecureRandom.hex(16).utf8.count == 32)
    }

    @Test("A random UUID is of version 4 and variant 1") func uuid() {
        for _ in 0..<64 {
            let characters = Array(SecureRandom.uuid())
            #expect(characters.count == 36)
            #expect([8, 13, 18, 23].allSatisfy { characters[$0] == "-" })
            #expect(characters[14] == "4")
            #expect("89ab".contains(characters[19]))
        }
    }

    @Test("Hexadecimal text is written in lower case and read in both") func hex() {
        #expect(Hex.encode([0x00, 0x9F, 0xAB, 0xFF]) == "009fabff")
        #expect(Hex.decode("009fABff") == [0x00, 0x9F, 0xAB, 0xFF])
        #expect(Hex.decode("") == [])
        let all = (0...255).map { UInt8($0) }
        #expect(Hex.decode(Hex.encode(all)) == all)
    }

    @Test("What is not hexadecimal is refused", arguments: ["0", "abc", "0g", "0x12", " 00", "00 ", "é", "/0", ":0", "@0"]) func badHex(
        text: String
    ) { #expect(Hex.decode(text) == nil) }
}
