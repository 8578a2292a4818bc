import SecureMemory
import Testing

@testable import OpenSSLCrypto

@Suite("PKCS#8 from outside") struct PKCS8Tests {
    private func refusal(_ der: [UInt8], known: RSAPublicNumbers? = nil) -> String? {
        do throws(CryptoError) {
            _ = try PrivateKeyNumbers(pkcs8DER: SecretBytes(der), known: known)
            return nil
        } catch { return error.description }
    }

    @Test("Garbage of every length up to 300 is refused") func garbage() {
        for count in 0...300 {
            #expect(refusal(SecureRandom.bytes(count)) != nil)
            #expect(refusal([UInt8](repeating: 0x30, count: count)) != nil)
            #expect(refusal([UInt8](repeating: 0, count: count)) != nil)
        }
        #expect(refusal([UInt8](repeating: 0x30, count: 1 << 20)) != nil)
        // A sequence that claims more than there is.
        #expect(refusal([0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0x02, 0x01, 0x00]) != nil)
        #expect(refusal(Array("-----BEGIN PRIVATE KEY-----\n".utf8)) != nil)
    }

    @Test("A key cut anywhere, or with bytes after it, is refused", arguments: [true, false]) func truncation(isRSA: Bool) throws {
        let key = isRSA ? try ReferenceKeys.rsa.get() : try ReferenceKeys.p256.get()
        let der = try key.pkcs8DER().array
        #expect(refusal(der) == nil)
        for count in 0..<der.count { #expect(refusal(Array(der[..<count])) != nil) }
        #expect(refusal(der + [0]) == "reading a PKCS#8 private key: bytes follow the key")
        #expect(refusal(der + der) != nil)
    }

    @Test("A changed byte never crashes, and never gives numbers that do not fit", arguments: [true, false]) func damage(isRSA: Bool) throws
    {
        let key = isRSA ? try ReferenceKeys.rsa.get() : try ReferenceKeys.p384.get()
        let der = try key.pkcs8DER().array
        var accepted = 0
        for index in der.indices {
            var damaged = der
            damaged[index] ^= 0x01
            // What still parses is the same key: a byte that says nothing about the numbers.
            do throws(CryptoError) {
                let numbers = try PrivateKeyNumbers(pkcs8DER: SecretBytes(damaged))
                accepted += 1
                let (rsaPublic, x) = (numbers.rsaPublic, numbers.ecPublic?.x)
                #expect(rsaPublic == key.publicKey.rsaNumbers && x == key.publicKey.ecPoint?.x)
            } catch { #expect(!error.description.isEmpty) }
        }
        #expect(accepted <= 4)
    }

    @Test("Bytes after the key inside of the structure are refused") func trailingBytesInside() throws {
        let der = try ReferenceKeys.p256.get().pkcs8DER().array
        let parts = try DER.children(of: der)
        #expect(parts.count == 3)
        #expect(refusal(DER.element(0x30, parts.flatMap { $0 })) == nil)
        let inner = try DER.content(of: parts[2])
        let longer = DER.element(0x04, inner + [0x05, 0x00])
        #expect(refusal(DER.element(0x30, parts[0] + parts[1] + longer)) != nil)
    }

    @Test("The factors of an RSA key are tested, unless its public half is vouched for and so are they") func factors() throws {
        let key = CompositeFactorKey.numbers
        let integers = [[0], key.n, key.e, key.d, key.p, key.q, key.dp, key.dq, key.qi].map { digits in
            DER.element(0x02, digits.first.map { $0 >= 0x80 } == true ? [0] + digits : digits)
        }
        let parts = try DER.children(of: try ReferenceKeys.rsa.get().pkcs8DER().array)
        let der = DER.element(0x30, parts[0] + parts[1] + DER.element(0x04, DER.element(0x30, integers.flatMap { $0 })))
        let complaint = "reading a PKCS#8 private key: the numbers of the RSA key do not fit each other"
        #expect(refusal(der) == complaint)
        let own = RSAPublicNumbers(n: key.n, e: key.e)
        #expect(refusal(der, known: own) == nil)
        #expect(refusal(der, known: try ReferenceKeys.rsa.get().publicKey.rsaNumbers) == complaint)
        #expect(refusal(der, known: RSAPublicNumbers(n: key.n, e: [3])) == complaint)
    }

    @Test("Damage shows also where the public half is vouched for") func damageOfKnownKey() throws {
        let key = try ReferenceKeys.rsa.get()
        let known = try #require(key.publicKey.rsaNumbers)
        let der = try key.pkcs8DER().array
        #expect(refusal(der, known: known) == nil)
        let inner = try DER.children(of: try DER.content(of: try DER.children(of: der)[2]))
        #expect(inner.count == 9)
        // Every byte of every private number, which are the end of the structure.
        let privateCount = inner.dropFirst(3).reduce(0) { $0 + $1.count }
        for index in der.indices.suffix(privateCount) {
            var damaged = der
            damaged[index] ^= 0x10
            #expect(refusal(damaged, known: known) != nil)
        }
    }

    @Test("Attributes, which some modules write, do not matter") func attributes() throws {
        let parts = try DER.children(of: try ReferenceKeys.p256.get().pkcs8DER().array)
        // keyUsage digitalSignature, as Microsoft's CNG adds it.
        let attribute = DER.element(0x30, [0x06, 0x03, 0x55, 0x1D, 0x0F] + DER.element(0x31, [0x03, 0x02, 0x07, 0x80]))
        #expect(refusal(DER.element(0x30, parts.flatMap { $0 } + DER.element(0xA0, attribute))) == nil)
    }

    @Test("An EC key without its public point gets the point that belongs to it", arguments: EllipticCurve.allCases) func withoutPoint(
        curve: EllipticCurve
    ) throws {
        let key = try ReferenceKeys.ec(curve)
        let parts = try DER.children(of: try key.pkcs8DER().array)
        let inner = try DER.children(of: try DER.content(of: parts[2]))
        #expect(inner.last?.first == 0xA1)
        let shorter = DER.element(0x04, DER.element(0x30, inner.dropLast().flatMap { $0 }))
        let numbers = try PrivateKeyNumbers(pkcs8DER: SecretBytes(DER.element(0x30, parts[0] + parts[1] + shorter)))
        let point = numbers.ecPublic
        let (x, y) = try #require(point)
        let (expectedX, expectedY) = try #require(key.publicKey.ecPoint)
        #expect(x == expectedX && y == expectedY)
    }

    /// PKCS#8 of an EC key whose parts are put together by hand.
    private func curveKey(_ key: PrivateKey, d: [UInt8]? = nil, parameters: [UInt8] = [], point: [UInt8]? = nil, unusedBits: UInt8 = 0)
        throws -> [UInt8]
    {
        let parts = try DER.children(of: try key.pkcs8DER().array)
        let inner = try DER.children(of: try DER.content(of: parts[2]))
        let number = try d.map { DER.element(0x04, $0) } ?? #require(inner.dropFirst().first)
        let (x, y) = try #require(key.publicKey.ecPoint)
        let bits = DER.element(0x03, [unusedBits] + (point ?? [0x04] + x + y))
        let sequence = inner[0] + number + parameters + DER.element(0xA1, bits)
        return DER.element(0x30, parts[0] + parts[1] + DER.element(0x04, DER.element(0x30, sequence)))
    }

    @Test("An EC key in the other forms that its numbers may have") func curveKeyForms() throws {
        let key = try ReferenceKeys.p256.get()
        let name: [UInt8] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
        let (x, y) = try #require(key.publicKey.ecPoint)
        #expect(refusal(try curveKey(key)) == nil)
        #expect(refusal(try curveKey(key, parameters: DER.element(0xA0, name))) == nil)
        #expect(refusal(try curveKey(key, point: [y[31] & 1 == 0 ? 0x02 : 0x03] + x)) == nil)
        // The number 1, whose leading zeros somebody dropped: its point is the generator, not this key's.
        #expect(refusal(try curveKey(key, d: [1]))?.hasSuffix("does not belong to the private number") == true)
    }

    @Test("An EC key that contradicts itself is refused") func contradictions() throws {
        let key = try ReferenceKeys.p256.get()
        let p384: [UInt8] = [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22]
        let order = try #require(Hex.decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"))
        let (x, y) = try #require(key.publicKey.ecPoint)
        for der in [
            try curveKey(key, parameters: DER.element(0xA0, p384)), try curveKey(key, d: []),
            try curveKey(key, d: [UInt8](repeating: 0, count: 32)), try curveKey(key, d: order),
            try curveKey(key, d: [UInt8](repeating: 0, count: 33)), try curveKey(key, point: [0]),
            try curveKey(key, point: [0x04] + y + x), try curveKey(key, point: []),
        ] { #expect(refusal(der)?.hasPrefix("reading a PKCS#8 private key: ") == true) }
    }

    @Test("A public point that does not belong to the private number is refused") func foreignPoint() throws {
        let der = try ReferenceKeys.p256.get().pkcs8DER().array
        let (x, y) = try #require(try PrivateKey.generateEC(.p256).publicKey.ecPoint)
        let (ownX, ownY) = try #require(try ReferenceKeys.p256.get().publicKey.ecPoint)
        // The point is the end of the structure.
        #expect(Array(der.suffix(64)) == ownX + ownY)
        #expect(refusal(der.dropLast(64) + x + y) != nil)
        var offCurve = der
        offCurve[der.count - 1] ^= 1
        #expect(refusal(offCurve) != nil)
    }

    @Test(
        "Keys that the openssl command makes", .enabled(if: OpenSSLCommand.isAvailable, "no openssl"),
        arguments: [
            (["RSA", "rsa_keygen_bits:2048"], true), (["RSA", "rsa_keygen_bits:3072"], true), (["RSA", "rsa_keygen_bits:1024"], false),
            (["RSA-PSS", "rsa_keygen_bits:2048"], false), (["EC", "ec_paramgen_curve:P-256"], true),
            (["EC", "ec_paramgen_curve:P-521"], true), (["EC", "ec_paramgen_curve:secp256k1"], false), (["ED25519"], false),
            (["X25519"], false),
        ]) func kinds(arguments: [String], isAccepted: Bool) throws
    {
        let command = try OpenSSLCommand()
        let der = try pkcs8(command, ["-algorithm", arguments[0]] + arguments.dropFirst().flatMap { ["-pkeyopt", $0] })
        #expect((refusal(der) == nil) == isAccepted)
    }

    /// A new key in the form that a key store wraps; the PEM of the same key stays in `key.pem`.
    private func pkcs8(_ command: OpenSSLCommand, _ options: [String]) throws -> [UInt8] {
        try command.run(["genpkey", "-out", command.path("key.pem")] + options)
        try command.run(["pkcs8", "-topk8", "-nocrypt", "-in", command.path("key.pem"), "-outform", "DER", "-out", command.path("key")])
        return try command.read("key")
    }

    @Test("A key without the PKCS#8 structure around it is refused", .enabled(if: OpenSSLCommand.isAvailable, "no openssl"))
    func traditionalForm() throws {
        let command = try OpenSSLCommand()
        for key in [try ReferenceKeys.rsa.get(), try ReferenceKeys.p256.get()] {
            try command.run([
                "pkey", "-in", try command.file("key.pem", try key.pem().array), "-traditional", "-outform", "DER", "-out",
                command.path("key"),
            ])
            #expect(refusal(try command.read("key")) != nil)
        }
    }

    @Test("A curve written out in numbers is refused", .enabled(if: OpenSSLCommand.isAvailable, "no openssl")) func explicitCurve() throws {
        let command = try OpenSSLCommand()
        let der = try pkcs8(command, ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"])
        #expect(
            refusal(der)
                == "reading a PKCS#8 private key: keys of type EC with explicit parameters are not supported; P-256, P-384 and P-521 are")
        try command.run(["pkey", "-in", command.path("key.pem"), "-pubout", "-outform", "DER", "-out", command.path("public")])
        if let key = try? PublicKey(subjectPublicKeyInfo: try command.read("public")) {
            #expect(key.kind == .other("EC with explicit parameters"))
            #expect(!key.verifies([UInt8](repeating: 1, count: 64), of: [], algorithm: .ecdsa(.sha256)))
        }
    }

    @Test("PEM in its three forms", .enabled(if: OpenSSLCommand.isAvailable, "no openssl")) func pemForms() throws {
        let command = try OpenSSLCommand()
        for key in [try ReferenceKeys.rsa.get(), try ReferenceKeys.p256.get()] {
            let pkcs8 = try key.pem().array
            #expect(String(decoding: pkcs8, as: UTF8.self).hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
            #expect(try PrivateKey(pem: pkcs8).publicKey == key.publicKey)
            try command.run(["pkey", "-in", try command.file("key.pem", pkcs8), "-traditional", "-out", command.path("traditional")])
            let traditional = try command.read("traditional")
            #expect(traditional != pkcs8)
            #expect(try PrivateKey(pem: traditional).publicKey == key.publicKey)
            // Byte for byte what the command itself writes.
            try command.run(["pkey", "-in", command.path("key.pem"), "-out", command.path("same")])
            #expect(try command.read("same") == pkcs8)
        }
    }

    @Test("An encrypted key is refused without asking anybody for a password", .enabled(if: OpenSSLCommand.isAvailable, "no openssl"))
    func encryptedPEM()
        throws
    {
        let command = try OpenSSLCommand()
        let key = try command.file("key.pem", try ReferenceKeys.p256.get().pem().array)
        try command.run(["pkcs8", "-topk8", "-in", key, "-out", command.path("encrypted"), "-passout", "pass:secret"])
        let text = try command.read("encrypted")
        #expect(String(decoding: text, as: UTF8.self).contains("ENCRYPTED"))
        let refused = CryptoError(
            operation: "reading a PEM private key",
            reason: "the key is encrypted; write it without a passphrase: openssl pkey -in FILE -out OTHER-FILE")
        #expect(throws: refused) { _ = try PrivateKey(pem: text) }
        for pem in [try ReferenceKeys.p256.get().pem().array, try ReferenceKeys.rsa.get().pem().array] {
            // RFC 1421's encryption of the older forms.
            try command.run([
                "pkey", "-in", try command.file("plain.pem", pem), "-traditional", "-aes128", "-passout", "pass:secret", "-out",
                command.path("older"),
            ])
            let older = try command.read("older")
            #expect(throws: refused) { _ = try PrivateKey(pem: older) }
        }
    }

    @Test("The first private key counts, whatever stands before it", .enabled(if: OpenSSLCommand.isAvailable, "no openssl"))
    func otherBlocks() throws {
        let command = try OpenSSLCommand()
        // As `openssl ecparam -genkey` writes it: a block of parameters in front.
        try command.run(["ecparam", "-name", "secp384r1", "-genkey", "-out", command.path("key.pem")])
        let own = try command.read("key.pem")
        #expect(String(decoding: own, as: UTF8.self).hasPrefix("-----BEGIN EC PARAMETERS-----"))
        let key = try PrivateKey(pem: own)
        #expect(key.publicKey.kind == .ec(.p384))
        try command.run(["pkey", "-in", command.path("key.pem"), "-pubout", "-out", command.path("public")])
        let published = try command.read("public")
        let several = published + own + (try ReferenceKeys.rsa.get().pem().array)
        #expect(try PrivateKey(pem: several).publicKey == key.publicKey)
        #expect(throws: CryptoError.self) { _ = try PrivateKey(pem: published) }
    }

    @Test("An EC key that names no curve of ours is refused", .enabled(if: OpenSSLCommand.isAvailable, "no openssl")) func unknownCurve()
        throws
    {
        let command = try OpenSSLCommand()
        try command.run(["ecparam", "-name", "secp256k1", "-genkey", "-noout", "-out", command.path("key.pem")])
        let text = try command.read("key.pem")
        #expect(
            throws: CryptoError(
                operation: "reading a PEM private key", reason: "keys of type EC secp256k1 are not supported; P-256, P-384 and P-521 are")
        ) { _ = try PrivateKey(pem: text) }
    }

    @Test("PEM that is not a key is refused", arguments: ["", "x", "-----BEGIN PRIVATE KEY-----", "\0\0\0"]) func badPEM(text: String) {
        #expect(throws: CryptoError.self) { _ = try PrivateKey(pem: Array(text.utf8)) }
    }
}
