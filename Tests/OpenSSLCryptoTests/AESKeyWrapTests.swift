import OpenSSLCrypto
import SecureMemory
import Testing

@Suite("AES key wrap with padding (RFC 5649)") struct AESKeyWrapTests {
    private static let kek256 = (0..<32).map { UInt8($0) }

    @Test(
        "The examples of RFC 5649, section 6",
        arguments: [
            ("c37b7e6492584340bed12207808941155068f738", "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a"),
            ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
        ]) func examplesOfTheStandard(plaintext: String, ciphertext: String) throws
    {
        let kek = try #require(Hex.decode("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8"))
        try check(kek, plaintext: try #require(Hex.decode(plaintext)), ciphertext: ciphertext)
    }

    @Test(
        // KnownAnswers.md, "AES key wrap".
        "Known answers with a 256-bit key",
        arguments: [
            (7, "015d947fce931441feff45f438251bc2"), (8, "da8f41421a27369bdb8e93cad6c01ac3"),
            (9, "2e8c1816658b7ec7d00304f1e36bd32d801cd25c8be7d2ec"),
            (20, "22d7fffc96b7adad9391ac9230d46b810e82e0f101f19e83e358f32ac9d407b6"),
            (32, "c783bf3f6ee99c48dabbc410e284c52cbf758578989de18a3294c9a4d197c8a26270488b1ce98016"),
        ]) func knownAnswers(count: Int, ciphertext: String) throws
    { try check(Self.kek256, plaintext: (0..<count).map { UInt8($0) }, ciphertext: ciphertext) }

    private func check(_ kek: [UInt8], plaintext: [UInt8], ciphertext: String) throws {
        let wrapped = try KeyWrap.aesWrapPadded(kek: kek, plaintext: SecretBytes(plaintext))
        #expect(Hex.encode(wrapped) == ciphertext)
        let opened = try KeyWrap.aesUnwrapPadded(kek: kek, ciphertext: wrapped)
        #expect(opened.array == plaintext)
    }

    @Test("Every length from 1 to 80 comes back") func lengths() throws {
        for count in 1...80 {
            let plaintext = SecureRandom.bytes(count)
            let wrapped = try KeyWrap.aesWrapPadded(kek: Self.kek256, plaintext: SecretBytes(plaintext))
            #expect(wrapped.count == (count + 7) / 8 * 8 + 8)
            #expect(try KeyWrap.aesUnwrapPadded(kek: Self.kek256, ciphertext: wrapped).array == plaintext)
        }
    }

    @Test("A changed bit anywhere, another key, and a missing or added block are refused with one text") func damage() throws {
        let wrapped = try KeyWrap.aesWrapPadded(kek: Self.kek256, plaintext: SecretBytes(SecureRandom.bytes(37)))
        var texts: Set<String> = []
        func expectRefusal(_ ciphertext: [UInt8], kek: [UInt8] = Self.kek256) {
            do throws(CryptoError) {
                _ = try KeyWrap.aesUnwrapPadded(kek: kek, ciphertext: ciphertext)
                Issue.record("opened a damaged ciphertext of \(ciphertext.count) bytes")
            } catch { texts.insert(error.description) }
        }
        for bit in 0..<wrapped.count * 8 {
            var damaged = wrapped
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            expectRefusal(damaged)
        }
        expectRefusal(wrapped, kek: Self.kek256.reversed())
        expectRefusal(wrapped.dropLast(8))
        expectRefusal(wrapped + SecureRandom.bytes(8))
        for count in 0...300 { expectRefusal(SecureRandom.bytes(count)) }
        for count in [0, 1, 15, 17, 31, 33, 64] { expectRefusal(wrapped, kek: SecureRandom.bytes(count)) }
        expectRefusal([UInt8](repeating: 0, count: (1 << 20) + 8))
        #expect(texts == ["unwrapping a key: the ciphertext was not made with this key, or is damaged"])
    }

    @Test("Padding that is not zero and a length outside of its range are refused") func forgedPadding() throws {
        // An RFC 3394 text with a chosen integrity value is made from the RFC's own steps, with one-block AES taken from the padded form.
        let forger = AESKeyWrapForger(kek: Self.kek256)
        let block = [UInt8](repeating: 0x11, count: 16)
        let right = try forger.wrap(prefix: [0xA6, 0x59, 0x59, 0xA6, 0, 0, 0, 16], padded: block)
        #expect(try KeyWrap.aesUnwrapPadded(kek: Self.kek256, ciphertext: right).array == block)
        let wrong: [[UInt8]] = [
            [0xA6, 0x59, 0x59, 0xA6, 0, 0, 0, 15],  // padding byte 0x11
            [0xA6, 0x59, 0x59, 0xA6, 0, 0, 0, 8],  // a whole block of padding
            [0xA6, 0x59, 0x59, 0xA6, 0, 0, 0, 17],  // longer than the text
            [0xA6, 0x59, 0x59, 0xA6, 0, 0, 0, 0], [0xA6, 0x59, 0x59, 0xA6, 0xFF, 0xFF, 0xFF, 0xFF], [0xA6, 0x59, 0x59, 0xA7, 0, 0, 0, 16],
            [0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6],  // RFC 3394 without padding
        ]
        for prefix in wrong {
            let forged = try forger.wrap(prefix: prefix, padded: block)
            #expect(throws: CryptoError.self) { _ = try KeyWrap.aesUnwrapPadded(kek: Self.kek256, ciphertext: forged) }
        }
    }

    @Test("An empty or huge plaintext cannot be wrapped") func impossiblePlaintexts() {
        #expect(throws: CryptoError.self) { _ = try KeyWrap.aesWrapPadded(kek: Self.kek256, plaintext: SecretBytes([])) }
        #expect(throws: CryptoError.self) {
            _ = try KeyWrap.aesWrapPadded(kek: Self.kek256, plaintext: SecretBytes([UInt8](repeating: 0, count: 1 << 20)))
        }
    }
}
