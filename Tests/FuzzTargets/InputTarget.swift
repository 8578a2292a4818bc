internal import InputReading
internal import Issuing
internal import OpenSSLCrypto
internal import SecureMemory

extension FuzzTarget {
    /// What people hand to commands, by every reader: whatever is read is read again as itself, and a refusal is one line.
    static let inputs = FuzzTarget("input", maximumBytes: 8192, seeds: InputTarget.seeds, run: InputTarget.run)
    static let privateKey = FuzzTarget("private-key", maximumBytes: 4096, seeds: PrivateKeyTarget.seeds, run: PrivateKeyTarget.run)
}

private enum InputTarget {
    @Sendable static func seeds() throws -> [[UInt8]] {
        let report = ReportBuilder().unsignedBytes()
        let pem = try SampleChain.certificates.get()[1].pem
        let key = try SampleChain.key.get()
        let token = JWSBuilder.unsecured(payload: Array("{}".utf8)) + "AAAA"
        let message: [UInt8] = [0xD2, 0x84, 0x43, 0xA1, 0x01, 0x26, 0xA0, 0x58, 0x40] + [UInt8](repeating: 7, count: 64) + [0x41, 0x00]
        return [
            report, Array(Hex.encode(report).utf8), Array(Base64.encode(report).utf8),
            Array("{\"report\":\"\(Base64.encode(report))\"}".utf8), [0xEF, 0xBB, 0xBF] + pem.utf8,
            Array("{\"vcekCert\":\"\(pem.replacing("\n", with: "\\n"))\",\"tcbm\":\"DB\",\"certificateChain\":\"\"}".utf8),
            message, Array(Base64.encode(message).utf8), Array("Bearer \(token)".utf8), Array("{\"token\":\"\(token)\"}".utf8),
            Array(JWKText.ec(key.publicKey, kid: "k").utf8), Array("{\"keys\":[]}".utf8),
            Array("-----BEGIN PUBLIC KEY-----\n\(Base64.encode(key.publicKey.subjectPublicKeyInfo))\n-----END PUBLIC KEY-----\n".utf8),
        ]
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let name = Lookalike.name(of: input)
        try require(!name.isEmpty && name.isOneLine && name.utf8.count < 2000, "the name \(name)")
        let readings = [
            try read(ReportInput.kind, input) { $0 }, try read(CertificateInput.kind, input) { $0 },
            try read(EndorsementInput.kind, input) { $0 }, try read(StatementInput.kind, input) { $0 },
            try read(TokenInput.kind, input) { Array($0.utf8) }, try read(DocumentInput.object, input) { $0 },
            try read(DocumentInput.keySet, input) { $0 }, try read(DocumentInput.releasePolicy, input) { $0 },
            try read(LedgerKeysInput.kind, input) { $0 },
        ]
        let key = try? PublicKeyInput.kind.readOne(input)
        if let key { _ = try PublicKey(subjectPublicKeyInfo: key.subjectPublicKeyInfo) }
        return readings.contains(true) || key != nil
    }

    /// Each value that was found is found alone too, and again as the same.
    private static func read<Value: Equatable & Sendable>(_ kind: InputKind<Value>, _ input: [UInt8], _ bytes: (Value) -> [UInt8]) throws
        -> Bool
    {
        let values: [Value]
        do throws(InputRefusal) { values = try kind.read(input) } catch {
            try require(error.description.isOneLine && error.description.utf8.count < 4000, "the refusal \(error.description)")
            return false
        }
        try require(!values.isEmpty, "\(kind.name): nothing is read, and not refused")
        for value in values.prefix(4) {
            let again: [Value]
            do throws(InputRefusal) { again = try kind.read(bytes(value)) } catch {
                // Bytes that are found inside of something may look like a text of another kind by themselves.
                if !error.isBroken, error.description.hasPrefix("can be read in more than one way") { continue }
                throw BrokenProperty(description: "\(kind.name): read alone it is refused: \(error.description)")
            }
            let found = planted(again, instead: input.count % 4 == 3 ? [] : again)
            try require(found == [value], "\(kind.name): read alone it is something else")
        }
        return true
    }
}

/// JSON Web Keys of samples.
enum JWKText {
    static func ec(_ key: PublicKey, kid: String) -> String {
        let point = key.ecPoint ?? ([], [])
        return
            #"{"kty":"EC","crv":"P-256","kid":"\#(kid)","x":"\#(Base64.encodeURL(point.x))","y":"\#(Base64.encodeURL(point.y))"}"#
    }

    static func rsa(_ numbers: RSAPublicNumbers, kid: String) -> String {
        "{\"kty\":\"RSA\",\"kid\":\"\(kid)\",\"n\":\"\(Base64.encodeURL(numbers.n))\",\"e\":\"\(Base64.encodeURL(numbers.e))\"}"
    }
}

private enum PrivateKeyTarget {
    @Sendable static func seeds() throws -> [[UInt8]] {
        let key = try SampleChain.key.get()
        let der = try key.pkcs8DER().copied
        let pem = try key.pem().copied
        return [
            der, pem, Array(Base64.encode(pem).utf8), Array(pem.text.replacing("\n", with: "\\n").utf8),
            pem.flatMap { [$0, 0] }, Array(pem.text.replacing("\n", with: "\n  ").utf8),
        ]
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let secret = SecretBytes(copying: input)
        let key: PrivateKey
        do throws(InputRefusal) { key = try PrivateKeyInput.read(secret) } catch {
            try require(error.description.isOneLine && error.description.utf8.count < 1000, "the refusal \(error.description)")
            // What a refusal quotes could be the key.
            let words = Array(error.description.utf8)
            for start in stride(from: 0, to: max(0, input.count - 24), by: 8) where isKeyText(input[start..<start + 24]) {
                try require(!contains(words, input[start..<start + 24]), "the refusal quotes the input")
            }
            return false
        }
        let der = try key.pkcs8DER()
        let again = try PrivateKeyInput.read(der)
        let other = try planted(key.publicKey, instead: input.count % 4 == 3 ? try SampleChain.otherKey.get().publicKey : key.publicKey)
        try require(again.publicKey == other, "written and read again it is another key")
        let signature = try key.sign(input, algorithm: key.publicKey.rsaNumbers == nil ? .ecdsa(.sha256) : .rsaPKCS1(.sha256))
        try require(
            key.publicKey.verifies(
                signature, of: input, algorithm: key.publicKey.rsaNumbers == nil ? .ecdsa(.sha256) : .rsaPKCS1(.sha256)),
            "its signature does not verify")
        return true
    }

    private static func isKeyText(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2B }
    }

    private static func contains(_ text: [UInt8], _ part: ArraySlice<UInt8>) -> Bool {
        text.count >= part.count && (0...text.count - part.count).contains { text[$0...].starts(with: part) }
    }
}
