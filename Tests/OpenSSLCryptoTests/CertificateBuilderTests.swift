import Issuing
import OpenSSLCrypto
import Testing

@Suite("Making certificates") struct CertificateBuilderTests {
    private static let now = ChainFactory.now

    @Test("What is put in comes out") func contents() throws {
        let chain = try ChainFactory { builder in
            builder.subject = [("C", "US"), ("O", "Zürich, \"quoted\""), ("CN", "leaf")]
            builder.serial = 0x0001_0203_0405_0607
            builder.keyUsage = [.digitalSignature, .keyEncipherment]
            builder.extendedKeyUsage = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.4.1.311.76.59.1.2"]
            builder.extraExtensions = [("1.3.6.1.4.1.3704.1.4", false, [0xDE, 0xAD]), ("1.2.3.4", true, [])]
        }
        let leaf = chain.leaf
        #expect(leaf.subjectCommonName == "leaf")
        #expect(leaf.issuerCommonName == "Test intermediate")
        #expect(leaf.subject.utf8.allSatisfy { (0x20...0x7E).contains($0) })
        #expect(leaf.serialNumberHex == "1020304050607")
        #expect(leaf.keyUsage == [.digitalSignature, .keyEncipherment])
        #expect(leaf.allowsKeyUsage(.digitalSignature) && !leaf.allowsKeyUsage(.keyCertSign))
        #expect(!leaf.allowsKeyUsage([.digitalSignature, .keyCertSign]))
        #expect(leaf.extendedKeyUsage == ["1.3.6.1.5.5.7.3.1", "1.3.6.1.4.1.311.76.59.1.2"])
        #expect(!leaf.isCertificateAuthority && leaf.pathLengthConstraint == nil)
        let extensions = leaf.extensions
        #expect(
            extensions.suffix(2) == [
                Certificate.Extension(oid: "1.3.6.1.4.1.3704.1.4", isCritical: false, value: [0xDE, 0xAD]),
                Certificate.Extension(oid: "1.2.3.4", isCritical: true, value: []),
            ])
        #expect(leaf.signatureScheme == .ecdsa(.sha256))
        #expect(leaf.isSigned(by: chain.intermediate) && !leaf.isSigned(by: chain.root))
        #expect(try leaf.publicKey == ReferenceKeys.rsa.get().publicKey)
    }

    @Test("An authority with a path length") func authority() throws {
        let key = try ReferenceKeys.p256.get()
        for length in [0, 3] {
            var builder = ChainFactory.authority("A", issuer: "A")
            builder.pathLength = length
            let certificate = try builder.sign(publicKey: key.publicKey, with: key, algorithm: .ecdsa(.sha256))
            #expect(certificate.isCertificateAuthority && certificate.pathLengthConstraint == length)
            #expect(certificate.keyUsage == [.keyCertSign, .cRLSign])
        }
    }

    @Test("A leaf like AMD's: serial 0, no other extensions, PSS with SHA-384") func likeAMD() throws {
        let key = try ReferenceKeys.rsa.get()
        var builder = CertificateBuilder(
            subject: [("CN", "SEV-VCEK")], issuer: [("CN", "SEV-Milan")], notBefore: Self.now, notAfter: Self.now + 1)
        builder.serial = 0
        builder.extraExtensions = [("1.3.6.1.4.1.3704.1.4", false, SecureRandom.bytes(64))]
        let leaf = try builder.sign(publicKey: try ReferenceKeys.p384.get().publicKey, with: key, algorithm: .rsaPSS(.sha384))
        #expect(leaf.serialNumberHex == "0")
        #expect(leaf.signatureScheme == .rsaPSS(digest: .sha384, mgf1: .sha384, saltLength: 48, trailerField: 1))
        #expect(leaf.extensions.map(\.oid) == ["1.3.6.1.4.1.3704.1.4"])
        #expect(leaf.extensions.first?.value.count == 64)
        #expect(leaf.keyUsage == nil && leaf.extendedKeyUsage == nil && !leaf.isCertificateAuthority)
        #expect(leaf.extensions.allSatisfy { !$0.isCritical })
    }

    @Test("Each way of signing is told apart") func schemes() throws {
        let rsa = try ReferenceKeys.rsa.get()
        let ec = try ReferenceKeys.p384.get()
        let builder = CertificateBuilder(subject: [("CN", "x")], issuer: [("CN", "x")], notBefore: Self.now, notAfter: Self.now + 1)
        for digest in [DigestAlgorithm.sha1, .sha256, .sha384, .sha512] {
            let cases: [(PrivateKey, SignatureAlgorithm, Certificate.SignatureScheme)] = [
                (rsa, .rsaPKCS1(digest), .rsaPKCS1(digest)),
                (rsa, .rsaPSS(digest), .rsaPSS(digest: digest, mgf1: digest, saltLength: digest.byteCount, trailerField: 1)),
                (ec, .ecdsa(digest), .ecdsa(digest)),
            ]
            for (key, algorithm, expected) in cases {
                let certificate = try builder.sign(publicKey: key.publicKey, with: key, algorithm: algorithm)
                #expect(certificate.signatureScheme == expected)
                #expect(certificate.isSigned(by: certificate))
            }
        }
    }

    @Test("What cannot be written is an error") func refusals() throws {
        let key = try ReferenceKeys.p256.get()
        let changes: [(inout CertificateBuilder) -> Void] = [
            { $0.subject = [("NOSUCH", "x")] }, { $0.issuer = [("", "x")] }, { $0.extraExtensions = [("not an oid", false, [])] },
            { $0.extendedKeyUsage = ["serverAuth x"] }, { $0.dnsNames = [""] }, { $0.dnsNames = ["a b"] },
            { $0.dnsNames = ["zürich.example"] }, { $0.dnsNames = [String(repeating: "a", count: 254)] }, { $0.notAfter = Int64.max },
            { $0.subject = [("C", "too long for a country")] },
        ]
        for change in changes {
            var builder = CertificateBuilder(subject: [("CN", "x")], issuer: [("CN", "x")], notBefore: Self.now, notAfter: Self.now + 1)
            _ = try builder.sign(publicKey: key.publicKey, with: key, algorithm: .ecdsa(.sha256))
            change(&builder)
            let changed = builder
            #expect(throws: CryptoError.self) { _ = try changed.sign(publicKey: key.publicKey, with: key, algorithm: .ecdsa(.sha256)) }
        }
        let plain = CertificateBuilder(subject: [("CN", "x")], issuer: [("CN", "x")], notBefore: Self.now, notAfter: Self.now + 1)
        #expect(throws: CryptoError.self) { _ = try plain.sign(publicKey: key.publicKey, with: key, algorithm: .rsaPSS(.sha256)) }
    }

    @Test("The openssl command reads and believes a chain made here", .enabled(if: OpenSSLCommand.isAvailable, "no openssl")) func peer()
        throws
    {
        let command = try OpenSSLCommand()
        let chain = try ChainFactory {
            $0.dnsNames = ["vault.example", "*.vault.example", "127.0.0.1"]
            $0.serial = 0x1234
        }
        let root = try command.file("root.pem", chain.root.pem.utf8)
        let intermediate = try command.file("intermediate.pem", chain.intermediate.pem.utf8)
        let leaf = try command.file("leaf.pem", chain.leaf.pem.utf8)
        let text = try command.run(["x509", "-in", leaf, "-noout", "-text", "-nameopt", "RFC2253"])
        for part in [
            "Version: 3", "4660 (0x1234)", "Issuer: CN=Test intermediate", "Subject: CN=leaf",
            "DNS:vault.example, DNS:*.vault.example, IP Address:127.0.0.1", "TLS Web Server Authentication",
            "X509v3 Basic Constraints: critical", "CA:FALSE", "Digital Signature", "X509v3 Subject Key Identifier",
            "X509v3 Authority Key Identifier", "ecdsa-with-SHA256", "Not Before: Dec 16 08:00:00 2026 GMT",
        ] { #expect(text.contains(part), "\(part) in \(text)") }
        let verify = ["verify", "-attime", String(ChainFactory.now), "-CAfile", root, "-untrusted", intermediate]
        try command.run(verify + ["-x509_strict", "-purpose", "sslserver", "-verify_hostname", "a.vault.example", leaf])
        #expect(try command.attempt(verify + ["-verify_hostname", "b.a.vault.example", leaf]).status != 0)
        // The same text of the names here and there.
        let names = try command.run(["x509", "-in", leaf, "-noout", "-subject", "-issuer", "-nameopt", "RFC2253"])
        #expect(names == "subject=\(chain.leaf.subject)\nissuer=\(chain.leaf.issuer)\n")
        #expect(
            try command.run(["x509", "-in", leaf, "-noout", "-fingerprint", "-sha256"]).contains(
                Hex.encode(chain.leaf.sha256).uppercased().enumerated().map { $0 > 0 && $0 % 2 == 0 ? ":\($1)" : "\($1)" }.joined()))
    }
}
