import SecureMemory
import Testing

@testable import OpenSSLCrypto

@Suite("Wrapping keys") struct WrappingKeyTests {
    private static let refusal = "unwrapping the released key: the ciphertext was not made for this wrapping key, or is damaged"

    @Test("A new key says its size and public numbers", arguments: [2048, 3072]) func generation(bits: Int) throws {
        let key = try WrappingKey.generate(bits: bits)
        #expect(key.bits == bits)
        #expect(key.publicNumbers.n.count == bits / 8)
        #expect(key.publicNumbers.n.first ?? 0 >= 0x80)
        #expect(key.publicNumbers.e == [1, 0, 1])
        #expect(try PublicKey(rsa: key.publicNumbers).kind == .rsa(bits: bits))
    }

    @Test("Only the three sizes are made", arguments: [-1, 0, 512, 1024, 2047, 2049, 8192, Int.max]) func impossibleSizes(bits: Int) {
        #expect(throws: CryptoError.self) { _ = try WrappingKey.generate(bits: bits) }
        #expect(throws: CryptoError.self) { _ = try PrivateKey.generateRSA(bits: bits) }
    }

    @Test("Two keys are different") func uniqueness() throws {
        let first = try WrappingKey.generate(bits: 2048).publicNumbers
        #expect(first != (try WrappingKey.generate(bits: 2048)).publicNumbers)
    }

    @Test("What the store's side wraps opens, with each algorithm", arguments: KeyWrapAlgorithm.allCases) func roundTrip(
        algorithm: KeyWrapAlgorithm
    ) throws {
        let key = try WrappingKey.generate(bits: 2048)
        let store = try PublicKey(rsa: key.publicNumbers)
        for count in [1, 7, 8, 32, 138, 1218, 2375] {
            let plaintext = SecureRandom.bytes(count)
            let ciphertext = try KeyWrap.wrap(SecretBytes(plaintext), to: store, using: algorithm)
            #expect(ciphertext.count == 256 + (count + 7) / 8 * 8 + 8)
            #expect(try key.unwrap(ciphertext, using: algorithm).array == plaintext)
        }
        // The algorithm is not a matter of opinion.
        let ciphertext = try KeyWrap.wrap(SecretBytes([1, 2, 3]), to: store, using: algorithm)
        for other in KeyWrapAlgorithm.allCases where other != algorithm { #expect(refusal(of: ciphertext, key, other) == Self.refusal) }
    }

    @Test("A 3072-bit wrapping key uses its own block size") func largerKey() throws {
        let key = try WrappingKey.generate(bits: 3072)
        let plaintext = SecureRandom.bytes(32)
        let ciphertext = try KeyWrap.wrap(SecretBytes(plaintext), to: PublicKey(rsa: key.publicNumbers), using: .rsaAESKeyWrap256)
        #expect(ciphertext.count == 384 + 40)
        #expect(try key.unwrap(ciphertext, using: .rsaAESKeyWrap256).array == plaintext)
    }

    @Test("Every length of garbage, and of a true ciphertext cut short, gives the same error") func everyLength() throws {
        let key = try WrappingKey.generate(bits: 2048)
        let right = try KeyWrap.wrap(SecretBytes(SecureRandom.bytes(32)), to: PublicKey(rsa: key.publicNumbers), using: .rsaAESKeyWrap384)
        let garbage = SecureRandom.bytes(320)
        for count in 0...300 { #expect(refusal(of: Array(garbage[..<count]), key, .rsaAESKeyWrap384) == Self.refusal) }
        for count in 0..<right.count { #expect(refusal(of: Array(right[..<count]), key, .rsaAESKeyWrap384) == Self.refusal) }
        for count in 1...17 { #expect(refusal(of: right + garbage[..<count], key, .rsaAESKeyWrap384) == Self.refusal) }
        #expect(refusal(of: [UInt8](repeating: 0, count: 256 + 40), key, .rsaAESKeyWrap384) == Self.refusal)
        #expect(refusal(of: [UInt8](repeating: 0xFF, count: 256 + 40), key, .rsaAESKeyWrap384) == Self.refusal)
        #expect(refusal(of: [UInt8](repeating: 0, count: (1 << 20) + 512), key, .rsaAESKeyWrap384) == Self.refusal)
    }

    @Test("A changed byte anywhere gives the same error") func everyByte() throws {
        let key = try WrappingKey.generate(bits: 2048)
        let right = try KeyWrap.wrap(SecretBytes(SecureRandom.bytes(32)), to: PublicKey(rsa: key.publicNumbers), using: .rsaAESKeyWrap256)
        for index in right.indices {
            var damaged = right
            damaged[index] ^= 0x40
            #expect(refusal(of: damaged, key, .rsaAESKeyWrap256) == Self.refusal)
        }
    }

    @Test("A key encryption key that is not 32 bytes is refused, although it unwraps", arguments: [0, 1, 16, 24, 31, 33, 64])
    func lengthOfTheKeyEncryptionKey(count: Int) throws {
        let key = try WrappingKey.generate(bits: 2048)
        let kek = SecureRandom.bytes(count)
        let store = try PublicKey(rsa: key.publicNumbers)
        let encrypted = kek.withUnsafeBytes { RSAOAEP.encrypt($0, to: store.handle.pointer, digest: .sha256) }
        let block = try #require(encrypted)
        let wrapped =
            [16, 24].contains(count) ? try KeyWrap.aesWrapPadded(kek: kek, plaintext: SecretBytes([1, 2, 3])) : SecureRandom.bytes(16)
        #expect(refusal(of: block + wrapped, key, .rsaAESKeyWrap256) == Self.refusal)
    }

    @Test("What was made for another key is refused") func anotherKey() throws {
        let key = try WrappingKey.generate(bits: 2048)
        let other = try WrappingKey.generate(bits: 2048)
        let ciphertext = try KeyWrap.wrap(SecretBytes([9]), to: PublicKey(rsa: other.publicNumbers), using: .rsaAESKeyWrap256)
        #expect(refusal(of: ciphertext, key, .rsaAESKeyWrap256) == Self.refusal)
    }

    @Test("Only RSA keys receive wrapped keys, and only secrets that are there") func storeSide() throws {
        let curve = try PrivateKey.generateEC(.p256).publicKey
        #expect(throws: CryptoError.self) { _ = try KeyWrap.wrap(SecretBytes([1]), to: curve, using: .rsaAESKeyWrap256) }
        let key = try WrappingKey.generate(bits: 2048)
        let store = try PublicKey(rsa: key.publicNumbers)
        #expect(throws: CryptoError.self) { _ = try KeyWrap.wrap(SecretBytes([]), to: store, using: .rsaAESKeyWrap256) }
    }

    @Test("A failure leaves nothing in OpenSSL's error queue") func errorQueue() throws {
        let key = try WrappingKey.generate(bits: 2048)
        _ = refusal(of: [UInt8](repeating: 1, count: 296), key, .rsaAESKeyWrap256)
        #expect(OpenSSLErrorQueue.error("asking", otherwise: "nothing").reason == "nothing")
    }

    private func refusal(of ciphertext: [UInt8], _ key: borrowing WrappingKey, _ algorithm: KeyWrapAlgorithm) -> String? {
        do throws(CryptoError) {
            _ = try key.unwrap(ciphertext, using: algorithm)
            return nil
        } catch { return error.description }
    }
}
