import EvidenceSamples
import OpenSSLCrypto
import Testing

/// Certificates of real machines, from `../shared/evidence`.
@Suite("AMD certificates", .enabled(if: EvidenceSample.isAvailable, "../shared/evidence is not there")) struct AMDCertificateTests {
    private func chain(_ sample: EvidenceSample) throws -> [Certificate] {
        try sample.chainPEM.flatMap { try Certificate.parse(pemOrDER: $0, maximumCount: 1) }
    }

    @Test("Every link of every chain verifies, and no other", arguments: EvidenceSample.withReport) func links(sample: EvidenceSample)
        throws
    {
        let chain = try chain(sample)
        try #require(chain.count == 3)
        #expect(chain[0].isSigned(by: chain[1]))
        #expect(chain[1].isSigned(by: chain[2]))
        #expect(chain[2].isSigned(by: chain[2]))
        #expect(!chain[0].isSigned(by: chain[2]))
        #expect(!chain[0].isSigned(by: chain[0]))
        #expect(!chain[1].isSigned(by: chain[1]))
        #expect(!chain[2].isSigned(by: chain[1]))
    }

    @Test("Every signature is RSASSA-PSS with SHA-384 throughout", arguments: EvidenceSample.withReport) func scheme(sample: EvidenceSample)
        throws
    {
        for certificate in try chain(sample) {
            #expect(certificate.signatureScheme == .rsaPSS(digest: .sha384, mgf1: .sha384, saltLength: 48, trailerField: 1))
        }
    }

    @Test("Both encodings of the PSS parameters occur, with and without the trailer field") func trailerField() throws {
        let all = try EvidenceSample.withReport.flatMap { try chain($0) }
        // id-RSASSA-PSS followed by parameters that end in [3] { INTEGER 1 }, or do not.
        let explicit = try #require(Hex.decode("a303020101"))
        func states(_ certificate: Certificate) throws -> Bool {
            let parts = try DER.children(of: certificate.der)
            return try #require(parts.count == 3 ? parts[1] : nil).suffix(explicit.count) == explicit[...]
        }
        #expect(try all.contains(where: states))
        #expect(try !all.allSatisfy(states))
    }

    @Test("Names, kinds of key and constraints", arguments: EvidenceSample.withReport) func contents(sample: EvidenceSample) throws {
        let chain = try chain(sample)
        try #require(chain.count == 3)
        let leaf = chain[0]
        #expect(["SEV-VCEK", "SEV-VLEK"].contains(leaf.subjectCommonName))
        #expect(leaf.issuerCommonName == chain[1].subjectCommonName)
        #expect(chain[1].issuerCommonName == chain[2].subjectCommonName)
        #expect(chain[2].subjectCommonName?.hasPrefix("ARK-") == true)
        #expect(chain[2].subject == chain[2].issuer)
        #expect(leaf.subject.contains("O=Advanced Micro Devices"))
        #expect(leaf.serialNumberHex == "0")
        #expect(["10000", "20000", "30000"].contains(chain[2].serialNumberHex))
        #expect(try leaf.publicKey.kind == .ec(.p384))
        for authority in chain[1...] {
            #expect(try authority.publicKey.kind == .rsa(bits: 4096))
            #expect(authority.isCertificateAuthority)
            #expect(authority.allowsKeyUsage(.keyCertSign))
        }
        #expect(!leaf.isCertificateAuthority)
        #expect(leaf.keyUsage == nil && leaf.allowsKeyUsage(.digitalSignature))
        #expect(chain[1].pathLengthConstraint == 0)
        #expect(chain[2].pathLengthConstraint == nil)
        #expect(leaf.extendedKeyUsage == nil)
        #expect(!chain[1].allowsKeyUsage(.digitalSignature))
    }

    @Test("Extensions are there with their raw content", arguments: EvidenceSample.withReport) func extensions(sample: EvidenceSample)
        throws
    {
        let prefix = "1.3.6.1.4.1.3704.1."
        let leaf = try #require(try chain(sample).first)
        let extensions = leaf.extensions
        #expect(Set(extensions.map(\.oid)).count == extensions.count)
        let version = try #require(extensions.first { $0.oid == prefix + "1" })
        #expect(version.value == [0x02, 0x01, 0x00] || version.value == [0x02, 0x01, 0x01])
        let product = try #require(extensions.first { $0.oid == prefix + "2" })
        #expect(product.value.first == 0x16)
        let hardware = extensions.first { $0.oid == prefix + "4" }
        let provider = extensions.first { $0.oid == prefix + "5" }
        if leaf.subjectCommonName == "SEV-VCEK" {
            #expect(provider == nil)
            let size = leaf.issuerCommonName == "SEV-Turin" ? 8 : 64
            let identifier = try #require(hardware?.value)
            #expect(identifier.count == size)
            // CHIP_ID of the report, at 0x1A0.
            #expect(identifier == Array(sample.report[0x1A0..<0x1A0 + size]))
        } else {
            #expect(hardware == nil)
            #expect(provider?.value.first == 0x16)
        }
        #expect(try extensions.map(\.oid) == Self.objectIdentifiers(of: leaf))
    }

    /// The extensions' identifiers, read from the DER without OpenSSL.
    private static func objectIdentifiers(of certificate: Certificate) throws -> [String] {
        let signed = try DER.children(of: try #require(try DER.children(of: certificate.der).first))
        let wrapper = try #require(signed.first { $0.first == 0xA3 })
        return try DER.children(of: try DER.content(of: wrapper)).map { item in
            let identifier = try DER.content(of: try #require(try DER.children(of: item).first))
            var numbers: [Int] = []
            var value = 0
            for byte in identifier {
                value = value << 7 | Int(byte & 0x7F)
                if byte & 0x80 == 0 {
                    numbers.append(value)
                    value = 0
                }
            }
            let first = try #require(numbers.first)
            let head = min(first / 40, 2)
            return ([head, first - 40 * head] + numbers.dropFirst()).map(String.init).joined(separator: ".")
        }
    }

    @Test("The leaf's key verifies the report, and no changed report", arguments: EvidenceSample.withReport) func reportSignature(
        sample: EvidenceSample
    ) throws {
        let report = sample.report
        let leaf = try #require(try chain(sample).first)
        // r and s are little-endian, 72 bytes each (AttestationReport.md, "Signature").
        let r = Array(report[0x2A0..<0x2A0 + 48].reversed())
        let s = Array(report[0x2E8..<0x2E8 + 48].reversed())
        var signed = Array(report[..<0x2A0])
        let key = try leaf.publicKey
        let isGenuine = !sample.name.hasPrefix("negative-")
        #expect(key.verifies(r + s, of: signed, algorithm: .ecdsa(.sha384)) == isGenuine)
        signed[0x90] ^= 1
        #expect(!key.verifies(r + s, of: signed, algorithm: .ecdsa(.sha384)))
    }

    @Test("A changed bit anywhere in the signed part of a certificate is noticed") func damagedCertificate() throws {
        let sample = try #require(EvidenceSample.withReport.first)
        let chain = try chain(sample)
        var accepted = 0
        for index in stride(from: 4, to: chain[0].der.count, by: 1) {
            var der = chain[0].der
            der[index] ^= 0x01
            // Some changes make a structure that is no certificate; the others must not verify.
            if let damaged = try? Certificate(der: der), damaged.isSigned(by: chain[1]) { accepted += 1 }
        }
        #expect(accepted == 0)
    }
}
