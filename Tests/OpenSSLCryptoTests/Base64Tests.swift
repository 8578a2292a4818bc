import OpenSSLCrypto
import SecureMemory
import Testing

@Suite("Base64") struct Base64Tests {
    @Test(
        "The examples of RFC 4648, section 10",
        arguments: [
            ("", "", ""), ("f", "Zg==", "Zg"), ("fo", "Zm8=", "Zm8"), ("foo", "Zm9v", "Zm9v"), ("foob", "Zm9vYg==", "Zm9vYg"),
            ("fooba", "Zm9vYmE=", "Zm9vYmE"), ("foobar", "Zm9vYmFy", "Zm9vYmFy"),
        ]) func examples(plain: String, padded: String, unpadded: String)
    {
        let bytes = Array(plain.utf8)
        #expect(Base64.encode(bytes) == padded)
        #expect(Base64.encodeURL(bytes) == unpadded)
        #expect(Base64.decode(padded) == bytes)
        #expect(Base64.decodeURL(unpadded) == bytes)
        #expect(Base64.decodeURL(padded) == bytes)
        #expect(Base64.decodeLenient(padded) == bytes)
        #expect(Base64.decodeLenient(unpadded) == bytes)
        if padded != unpadded { #expect(Base64.decode(unpadded) == nil) }
    }

    @Test("Every character of both alphabets") func alphabets() {
        let common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        let standard = Array((common + "+/").utf8)
        let url = Array((common + "-_").utf8)
        for value in 0..<64 {
            // A value in the first six bits of one byte, and zeros after it.
            let bytes = [UInt8(value << 2)]
            #expect(Base64.encode(bytes) == String(decoding: [standard[value]], as: UTF8.self) + "A==")
            #expect(Base64.encodeURL(bytes) == String(decoding: [url[value]], as: UTF8.self) + "A")
        }
        for byte in UInt8.min...UInt8.max {
            let text = [byte] + Array("AAA".utf8)
            text.withUnsafeBytes { raw in
                #expect((Base64.decode(secret: raw) != nil) == standard.contains(byte))
                #expect((Base64.decodeURL(secret: raw) != nil) == url.contains(byte))
            }
        }
    }

    @Test("Every byte at every place of a long text is its six bits, or makes all of it invalid") func places() {
        let common = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
        for (alphabet, isURL) in [(common + Array("+/".utf8), false), (common + Array("-_".utf8), true)] {
            for filler in [0, 25, 51, 61, 62, 63] {
                for place in 0..<20 {
                    for byte in UInt8.min...UInt8.max {
                        var text = [UInt8](repeating: alphabet[filler], count: 20)
                        text[place] = byte
                        // Bit by bit: nothing of what is tested.
                        var expected: [UInt8]?
                        if let value = alphabet.firstIndex(of: byte) {
                            var bytes = [UInt8](repeating: 0, count: 15)
                            for bit in 0..<120 {
                                let sextet = bit / 6 == place ? value : filler
                                if sextet >> (5 - bit % 6) & 1 == 1 { bytes[bit / 8] |= 0x80 >> (bit % 8) }
                            }
                            expected = bytes
                        } else if byte == UInt8(ascii: "="), place == 19 {
                            // Padding, which the tests below are about.
                            continue
                        }
                        let found = isURL ? Base64.decodeURL(text[...]) : Base64.decode(text)
                        if found != expected { Issue.record("\(byte) at \(place) beside \(filler): \(String(describing: found))") }
                    }
                }
            }
        }
    }

    @Test("Every length comes back") func roundTrips() {
        for count in 0..<100 {
            let bytes = SecureRandom.bytes(count)
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.decodeURL(Base64.encodeURL(bytes)) == bytes)
            #expect(Base64.decodeLenient(Base64.encode(bytes)) == bytes)
            #expect(Base64.decodeLenient(Base64.encodeURL(bytes)) == bytes)
        }
    }

    @Test(
        "Anything that is not the one text of its bytes is refused",
        arguments: [
            "Zh==", "Zm9=", "Zm8", "Zg=", "Zg===", "Z", "Zm9vY", "=", "==", "====", "Zg==Zg==", "Zm9v ", " Zm9v", "Zm\n9v", "Zm9v\n",
            "Zm9v\0", "Zm-_", "Zm9\u{e9}", "Zm9v=", "Zm9v====", "Z=9v", "Zg=v",
        ]) func strictness(text: String)
    { #expect(Base64.decode(text) == nil) }

    @Test("The URL alphabet is as strict", arguments: ["Zh", "Zm9", "Zg=", "Zg===", "Z", "Zm8==", "Zm+/", "Zm9v ", "Zm9v=", "=", "Zm9v=="])
    func strictnessOfURL(text: String) { #expect(Base64.decodeURL(text) == nil) }

    @Test("Either alphabet, but not both in one text, and still canonical") func lenient() {
        #expect(Base64.decodeLenient("+/8=") == [0xFB, 0xFF])
        #expect(Base64.decodeLenient("-_8") == [0xFB, 0xFF])
        for text in ["+_8=", "-/8", "Zh", "Zh==", "Zg=", "Zm9v\n", "Z"] { #expect(Base64.decodeLenient(text) == nil) }
    }

    /// KnownProblems.md, "Decoding".
    @Test("Trailing zero bytes stay") func trailingZeros() {
        let bytes = SecureRandom.bytes(254) + [0, 0]
        #expect(Base64.decodeURL(Base64.encodeURL(bytes))?.count == 256)
    }

    @Test("Secret bytes are written into the memory of a secret") func secrets() throws {
        for count in [0, 1, 2, 3, 31, 32, 33, 256] {
            let bytes = SecureRandom.bytes(count)
            let secret = SecretBytes(bytes)
            let text = SecretBytes(capacity: Base64.encodedURLCount(of: count)) { output in
                secret.withUnsafeBytes { Base64.encodeURL($0, into: output) }
            }
            #expect(text.array == Array(Base64.encodeURL(bytes).utf8))
            let decoded = text.withUnsafeBytes { Base64.decodeURL(secret: $0)?.array }
            #expect(decoded == bytes)
        }
    }
}
