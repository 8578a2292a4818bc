internal import Issuing
internal import OpenSSLCrypto

extension FuzzTarget {
    /// Certificates in PEM and DER.
    static let certificate = FuzzTarget("certificate", maximumBytes: 8192, seeds: CertificateTarget.seeds, run: CertificateTarget.run)
    static let revocationList = FuzzTarget("revocation-list", seeds: RevocationTarget.seeds, run: RevocationTarget.run)
}

enum SampleChain {
    static let key = Result { try PrivateKey.generateEC(.p256) }
    /// In none of the seeds.
    static let otherKey = Result { try PrivateKey.generateEC(.p256) }

    /// An authority's certificate and one of a server, in that order.
    static let certificates = Result { () throws -> [Certificate] in
        let own = try key.get()
        var authority = builder("Fuzz Authority")
        authority.isCertificateAuthority = true
        authority.pathLength = 1
        authority.keyUsage = [.keyCertSign, .cRLSign]
        var server = builder("fuzz.example")
        server.issuer = authority.subject
        server.dnsNames = ["fuzz.example", "*.fuzz.example", "127.0.0.1"]
        server.extendedKeyUsage = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.4.1.32473.59.1.2"]
        server.keyUsage = [.digitalSignature]
        server.extraExtensions = [("1.3.6.1.4.1.3704.1.3.1", false, [2, 1, 4])]
        return try [authority, server].map { try $0.sign(publicKey: own.publicKey, with: own, algorithm: .ecdsa(.sha256)) }
    }

    private static func builder(_ name: String) -> CertificateBuilder {
        CertificateBuilder(
            subject: [("CN", name), ("O", "Fuzz"), ("C", "US")], issuer: [("CN", name)], notBefore: 1_700_000_000, notAfter: 1_900_000_000)
    }
}

private enum CertificateTarget {
    private static let maximumCount = 4

    @Sendable static func seeds() throws -> [[UInt8]] {
        let certificates = try SampleChain.certificates.get()
        let pem = certificates.map { $0.pem }
        let embedded = "text before\n" + pem[1] + "text behind\n"
        return [certificates[0].der, certificates[1].der, Array(pem.joined().utf8), Array(embedded.utf8)]
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        guard let found = try? read(input) else { return false }
        try require((1...maximumCount).contains(found.count), "\(found.count) certificates")
        for certificate in found { try examine(certificate, input) }
        let again = try Certificate.parse(pemOrDER: Array(found.map(\.pem).joined().utf8), maximumCount: maximumCount)
        try require(again == found, "written in PEM and read again they are others")
        return true
    }

    private static func read(_ input: [UInt8]) throws -> [Certificate] {
        let found = Result { try Certificate.parse(pemOrDER: input, maximumCount: maximumCount) }
        return try planted(found, instead: Result { try (try? found.get()) ?? [try Certificate(der: Array(input.dropLast()))] }).get()
    }

    private static func examine(_ certificate: Certificate, _ input: [UInt8]) throws {
        let der = certificate.der
        try require(der.count <= Certificate.maximumByteCount, "\(der.count) bytes")
        // A definite length is that of all bytes: nothing follows.
        if der[1] != 0x80 {
            let head = der[1] < 0x80 ? 2 : 2 + Int(der[1] & 0x7F)
            let length = der[1] < 0x80 ? Int(der[1]) : der[2..<head].reduce(0) { $0 << 8 | Int($1) }
            try require(head + length == der.count, "\(der.count) bytes with the length \(head + length)")
        }
        if input.first == 0x30, !input.text.contains("-----BEGIN") { try require(der == input, "other bytes than were given") }
        try require(certificate.notBefore > -100_000_000_000 && certificate.notAfter < 300_000_000_000, "its times")
        for text in [certificate.subject, certificate.issuer] { try require(text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }, "its names") }
        _ = (certificate.subjectCommonName, certificate.issuerCommonName, certificate.subjectAttributes, certificate.alternativeNames)
        _ = (certificate.serialNumberHex, certificate.signatureScheme, certificate.isCertificateAuthority, certificate.keyUsage)
        _ = (certificate.pathLengthConstraint, certificate.extendedKeyUsage, certificate.publicKeySHA256)
        try require(!certificate.matches(host: "other.example") || certificate.der.count > 20, "any host")
        _ = certificate.isSigned(by: certificate)
        if let key = try? certificate.publicKey { _ = try PublicKey(subjectPublicKeyInfo: key.subjectPublicKeyInfo) }
        for item in certificate.extensions {
            try require(item.oid.utf8.allSatisfy { $0 == 0x2E || (0x30...0x39).contains($0) }, "an object identifier \(item.oid)")
            _ = ASN1Text.utf8String(der: item.value)
        }
    }
}

private enum RevocationTarget {
    private static let made = Result { () throws -> [[UInt8]] in
        let key = try SampleChain.key.get()
        var builder = RevocationListBuilder(issuer: [("CN", "Fuzz Authority")], thisUpdate: 1_700_000_000, nextUpdate: 1_800_000_000)
        let empty = try builder.sign(with: key, algorithm: .ecdsa(.sha256))
        builder.revoked = [1, 77]
        builder.nextUpdate = nil
        return [empty, try builder.sign(with: key, algorithm: .ecdsa(.sha256))]
    }

    @Sendable static func seeds() throws -> [[UInt8]] { try made.get() }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        guard let list = try? read(input) else { return false }
        _ = (list.issuer, list.issuerCommonName, list.signatureScheme, list.sha256)
        if input.first == 0x30 { try require(list.der == input, "other bytes than were given") }
        try require(try RevocationList(der: list.der).thisUpdate == list.thisUpdate, "another list")
        let authority = try SampleChain.certificates.get()[0]
        // The other signature of the same bytes verifies too, so only what was signed is compared.
        if list.isSigned(by: authority) {
            try require(try seeds().contains { signedPart($0) == signedPart(list.der) }, "a changed list counts as signed")
        }
        _ = list.revokes(authority)
        return true
    }

    /// What stands behind the heads and before the signature.
    private static func signedPart(_ der: [UInt8]) -> ArraySlice<UInt8> { der.dropFirst(8).dropLast(90) }

    private static func read(_ input: [UInt8]) throws -> RevocationList {
        let list = Result { try RevocationList(pemOrDER: input) }
        return try planted(list, instead: Result { try (try? list.get()) ?? RevocationList(der: Array(input.dropLast())) }).get()
    }
}
