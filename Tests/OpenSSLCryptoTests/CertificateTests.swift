import Issuing
import OpenSSLCrypto
import Testing

@Suite("Reading certificates") struct CertificateTests {
    @Test("A certificate that is passed on is looked at as far as its three parts") func passedOn() throws {
        let leaf = try ChainFactory().leaf
        let text = try Certificate.pem(der: leaf.der)
        #expect(text == leaf.pem)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first == "-----BEGIN CERTIFICATE-----" && lines.suffix(2) == ["-----END CERTIFICATE-----", ""])
        #expect(lines.dropFirst().dropLast(3).allSatisfy { $0.utf8.count == 64 })
        #expect(Base64.decode(lines.dropFirst().dropLast(2).joined()) == leaf.der)
        let parts: [UInt8] = [0x30, 0x00, 0x30, 0x00, 0x03, 0x01, 0x00]
        #expect(try Certificate.pem(der: [0x30, 0x07] + parts).contains("MAcwADAAAwEA"))
        for der in [
            [], Array(leaf.der.dropLast()), leaf.der + [0], Array("certificate".utf8), [0x30, 0x00], [0x31, 0x07] + parts,
            [0x30, 0x80] + parts + [0, 0], [0x30, 0x09] + parts + [0x05, 0x00], [0x30, 0x04] + parts.prefix(4),
            [UInt8](repeating: 0x30, count: Certificate.maximumByteCount + 1),
        ] as [[UInt8]] { #expect(throws: CryptoError.self) { _ = try Certificate.pem(der: der) } }
    }

    @Test("DER and PEM give the same certificate") func forms() throws {
        let leaf = try ChainFactory().leaf
        #expect(try Certificate(der: leaf.der) == leaf)
        #expect(try Certificate.parse(pemOrDER: leaf.der, maximumCount: 1) == [leaf])
        #expect(try Certificate.parse(pemOrDER: Array(leaf.pem.utf8), maximumCount: 1) == [leaf])
        #expect(leaf.sha256 == DigestAlgorithm.sha256.digest(leaf.der))
        #expect(leaf.publicKeySHA256 == DigestAlgorithm.sha256.digest(try leaf.publicKey.subjectPublicKeyInfo))
    }

    @Test("A certificate cut anywhere, or with bytes after it, is refused") func truncation() throws {
        let der = try ChainFactory().leaf.der
        for count in 0..<der.count { #expect(throws: CryptoError.self) { _ = try Certificate(der: Array(der[..<count])) } }
        #expect(throws: CryptoError(operation: "reading a certificate", reason: "bytes follow the certificate")) {
            _ = try Certificate(der: der + [0])
        }
        #expect(throws: CryptoError.self) { _ = try Certificate.parse(pemOrDER: der + der, maximumCount: 2) }
        #expect(throws: CryptoError.self) { _ = try Certificate(der: [UInt8](repeating: 0x30, count: 100_000)) }
    }

    @Test("A changed byte never crashes") func damage() throws {
        let chain = try ChainFactory { $0.extraExtensions = [("1.3.6.1.4.1.3704.1.4", false, [1, 2, 3])] }
        let der = chain.leaf.der
        for index in der.indices {
            for mask in [0x01, 0x80, 0xFF] as [UInt8] {
                var damaged = der
                damaged[index] ^= mask
                guard let certificate = try? Certificate(der: damaged) else { continue }
                // Every question gets an answer.
                _ = (certificate.subject, certificate.issuer, certificate.serialNumberHex, certificate.signatureScheme)
                _ = (certificate.extensions, certificate.extendedKeyUsage, certificate.keyUsage)
                _ = (certificate.isCertificateAuthority, certificate.pathLengthConstraint, try? certificate.publicKey)
                _ = (certificate.matches(host: "vault.example"), certificate.publicKeySHA256)
                #expect(!certificate.isSigned(by: chain.intermediate))
            }
        }
    }

    @Test("Certificates are found between other text, other blocks and any line ends") func junkAround() throws {
        let chain = try ChainFactory()
        let (first, second) = (chain.leaf.pem, chain.intermediate.pem)
        let key = String(decoding: try ReferenceKeys.p256.get().pem().array, as: UTF8.self)
        let windows = second.split(separator: "\n").joined(separator: "\r\n") + "\r\n"
        for text in [
            first + second, "junk\n-----BEGIN\n" + first + "-----\nmore junk\0\u{e9}" + second + "end",
            "\u{FEFF}Bag Attributes\n  friendlyName: x\nsubject=CN = leaf\n" + first + "\n\n\n" + windows, key + first + key + second + key,
            first.split(separator: "\n").joined(separator: " \n\t ") + "\n" + second,
            "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n" + first + second,
        ] { #expect(try Certificate.parse(pemOrDER: Array(text.utf8), maximumCount: 2) == [chain.leaf, chain.intermediate]) }
    }

    @Test(
        "A bundle without certificates is refused",
        arguments: [
            "", "\n", "<html>oops</html>", "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n", "0", "0\u{80}",
        ]) func noCertificates(text: String)
    { #expect(throws: CryptoError.self) { _ = try Certificate.parse(pemOrDER: Array(text.utf8), maximumCount: 10) } }

    @Test("One bad block spoils the bundle, and the error says which") func badBlock() throws {
        let pem = try ChainFactory().leaf.pem
        let text = pem + "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n" + pem
        do throws(CryptoError) {
            _ = try Certificate.parse(pemOrDER: Array(text.utf8), maximumCount: 10)
            Issue.record("accepted a block that is no certificate")
        } catch { #expect(error.reason.hasPrefix("certificate 2: ")) }
        let unfinished = pem + "-----BEGIN CERTIFICATE-----\nMAA=\n"
        #expect(throws: CryptoError.self) { _ = try Certificate.parse(pemOrDER: Array(unfinished.utf8), maximumCount: 10) }
    }

    @Test("DER inside of a PEM label is not guessed at") func derInLabel() throws {
        let leaf = try ChainFactory().leaf
        let content = Array("-----BEGIN CERTIFICATE-----\n".utf8) + leaf.der + Array("\n-----END CERTIFICATE-----\n".utf8)
        #expect(throws: CryptoError.self) { _ = try Certificate.parse(pemOrDER: content, maximumCount: 1) }
    }

    @Test("A bundle of 10 000 certificates stops at the limit", .timeLimit(.minutes(1))) func hugeBundle() throws {
        let leaf = try ChainFactory().leaf
        var content: [UInt8] = []
        for _ in 0..<10_000 { content += leaf.pem.utf8 }
        #expect(throws: CryptoError(operation: "reading certificates", reason: "more than 10 certificates")) {
            _ = try Certificate.parse(pemOrDER: content, maximumCount: 10)
        }
        #expect(try Certificate.parse(pemOrDER: content, maximumCount: 10_000).count == 10_000)
        #expect(throws: CryptoError.self) {
            _ = try Certificate.parse(pemOrDER: [UInt8](repeating: 0x2D, count: Certificate.maximumBundleByteCount + 1), maximumCount: 10)
        }
        // Hyphens without end, begins without ends: still one pass.
        let hyphens = [UInt8](repeating: UInt8(ascii: "-"), count: 1 << 20)
        #expect(throws: CryptoError.self) { _ = try Certificate.parse(pemOrDER: hyphens, maximumCount: 10) }
        var begins: [UInt8] = []
        for _ in 0..<10_000 { begins += "-----BEGIN CERTIFICATE-----\n".utf8 }
        #expect(throws: CryptoError.self) { _ = try Certificate.parse(pemOrDER: begins, maximumCount: 10) }
    }

    @Test(
        "Host names",
        arguments: [
            (["vault.example"], "vault.example", true), (["VAULT.example"], "vault.EXAMPLE", true),
            (["*.vault.azure.net"], "contoso.vault.azure.net", true), (["*.vault.azure.net"], "vault.azure.net", false),
            (["*.vault.azure.net"], "a.b.vault.azure.net", false), (["*.vault.azure.net"], ".vault.azure.net", false),
            (["con*.vault.azure.net"], "contoso.vault.azure.net", false), (["*"], "localhost", false), (["*.net"], "azure.net", false),
            (["vault.example"], "vault.example.evil", false), (["vault.example"], "evilvault.example", false),
            (["vault.example"], "", false), (["vault.example"], "vault.example\0", false), (["10.0.0.1"], "10.0.0.1", true),
            (["10.0.0.1"], "10.0.0.2", false), (["10.0.0.1.example"], "10.0.0.1", false),
            (["first.example", "second.example"], "second.example", true), ([], "leaf", false),
        ] as [([String], String, Bool)]) func hostNames(names: [String], host: String, matches: Bool) throws
    {
        let leaf = try ChainFactory { $0.dnsNames = names }.leaf
        #expect(leaf.matches(host: host) == matches)
    }

    @Test("Validity includes both ends") func validity() throws {
        let leaf = try ChainFactory().leaf
        #expect(leaf.notBefore == ChainFactory.now - 30 * ChainFactory.day)
        #expect(leaf.notAfter == ChainFactory.now + 30 * ChainFactory.day)
        #expect(leaf.isValid(at: leaf.notBefore) && leaf.isValid(at: leaf.notAfter))
        #expect(!leaf.isValid(at: leaf.notBefore - 1) && !leaf.isValid(at: leaf.notAfter + 1))
    }
}
