import SecureMemory
import Testing

@testable import OpenSSLCrypto

/// RSA-OAEP against two independent sides: the `openssl` command's own OAEP, and the encoding of RFC 8017, section 7.1.1, written out here.
@Suite("RSA-OAEP against a peer", .enabled(if: OpenSSLCommand.isAvailable, "no openssl")) struct OAEPPeerTests {
    @Test("The openssl command opens the first block of what is wrapped here", arguments: KeyWrapAlgorithm.allCases) func commandOpens(
        algorithm: KeyWrapAlgorithm
    ) throws {
        let key = try ReferenceKeys.rsa.get()
        let command = try OpenSSLCommand()
        let plaintext = SecureRandom.bytes(32)
        let ciphertext = try KeyWrap.wrap(SecretBytes(plaintext), to: key.publicKey, using: algorithm)
        try command.run(
            [
                "pkeyutl", "-decrypt", "-inkey", try command.file("key.pem", try key.pem().array), "-in",
                try command.file("block", ciphertext[..<256]), "-out", command.path("kek"),
            ] + options(algorithm.digest))
        let kek = try command.read("kek")
        #expect(kek.count == 32)
        #expect(try KeyWrap.aesUnwrapPadded(kek: kek, ciphertext: Array(ciphertext[256...])).array == plaintext)
    }

    @Test("A wrapping key opens what the openssl command encrypted", arguments: KeyWrapAlgorithm.allCases) func commandEncrypts(
        algorithm: KeyWrapAlgorithm
    ) throws {
        let key = try WrappingKey.generate(bits: 2048)
        let kek = SecureRandom.bytes(32)
        let plaintext = SecureRandom.bytes(138)
        let block = try encrypt(kek, to: key.publicNumbers, options(algorithm.digest))
        let wrapped = try KeyWrap.aesWrapPadded(kek: kek, plaintext: SecretBytes(plaintext))
        #expect(try key.unwrap(block + wrapped, using: algorithm).array == plaintext)
    }

    @Test("A wrapping key opens the encoding of RFC 8017", arguments: KeyWrapAlgorithm.allCases) func encodingOfTheStandard(
        algorithm: KeyWrapAlgorithm
    ) throws {
        let key = try WrappingKey.generate(bits: 2048)
        let kek = SecureRandom.bytes(32)
        let plaintext = SecureRandom.bytes(32)
        let encoding = OAEPEncoding(digest: algorithm.digest, mgf1: algorithm.digest)
        let block = try raw(encoding.encode(kek), key.publicNumbers)
        let wrapped = try KeyWrap.aesWrapPadded(kek: kek, plaintext: SecretBytes(plaintext))
        #expect(try key.unwrap(block + wrapped, using: algorithm).array == plaintext)
    }

    @Test("Encodings that are almost right are refused with the one text") func wrongEncodings() throws {
        let key = try WrappingKey.generate(bits: 2048)
        let kek = SecureRandom.bytes(32)
        let wrapped = try KeyWrap.aesWrapPadded(kek: kek, plaintext: SecretBytes([1, 2, 3]))
        var encodings: [OAEPEncoding] = []
        for change in [
            { $0.label = [1] }, { $0.mgf1 = .sha1 }, { $0.digest = .sha1 }, { $0.leadingByte = 1 }, { $0.separator = 2 },
            { $0.separator = 0 }, { $0.padding = 1 },
        ] as [(inout OAEPEncoding) -> Void] {
            var encoding = OAEPEncoding(digest: .sha256, mgf1: .sha256)
            change(&encoding)
            encodings.append(encoding)
        }
        for encoding in encodings {
            let block = try raw(encoding.encode(kek), key.publicNumbers)
            do throws(CryptoError) {
                _ = try key.unwrap(block + wrapped, using: .rsaAESKeyWrap256)
                Issue.record("opened \(encoding)")
            } catch { #expect(error.reason == "the ciphertext was not made for this wrapping key, or is damaged") }
        }
    }

    private func options(_ digest: DigestAlgorithm) -> [String] {
        let name = digest == .sha1 ? "sha1" : "sha\(digest.byteCount * 8)"
        return ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:\(name)", "-pkeyopt", "rsa_mgf1_md:\(name)"]
    }

    /// The RSA primitive alone.
    private func raw(_ encoded: [UInt8], _ numbers: RSAPublicNumbers) throws -> [UInt8] {
        try encrypt(encoded, to: numbers, ["-pkeyopt", "rsa_padding_mode:none"])
    }

    private func encrypt(_ text: [UInt8], to numbers: RSAPublicNumbers, _ options: [String]) throws -> [UInt8] {
        let command = try OpenSSLCommand()
        let info = try PublicKey(rsa: numbers).subjectPublicKeyInfo
        try command.run(
            [
                "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", try command.file("key.der", info), "-in",
                try command.file("text", text), "-out", command.path("block"),
            ] + options)
        return try command.read("block")
    }
}

/// EME-OAEP (RFC 8017, section 7.1.1) for a 2048-bit modulus, with every part changeable.
struct OAEPEncoding {
    var digest: DigestAlgorithm
    var mgf1: DigestAlgorithm
    var label: [UInt8] = []
    var leadingByte: UInt8 = 0
    var padding: UInt8 = 0
    var separator: UInt8 = 1

    func encode(_ message: [UInt8]) -> [UInt8] {
        let size = 256
        let paddingCount = size - message.count - 2 * digest.byteCount - 2
        let block = digest.digest(label) + [UInt8](repeating: padding, count: paddingCount) + [separator] + message
        let seed = SecureRandom.bytes(digest.byteCount)
        let maskedBlock = zip(block, mask(seed, block.count)).map { $0 ^ $1 }
        let maskedSeed = zip(seed, mask(maskedBlock, seed.count)).map { $0 ^ $1 }
        return [leadingByte] + maskedSeed + maskedBlock
    }

    /// MGF1 (RFC 8017, appendix B.2.1).
    private func mask(_ seed: [UInt8], _ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        var counter: UInt8 = 0
        while result.count < count {
            result += mgf1.digest(seed + [0, 0, 0, counter])
            counter += 1
        }
        return Array(result[..<count])
    }
}
