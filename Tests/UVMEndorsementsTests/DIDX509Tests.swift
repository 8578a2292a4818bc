import Issuing
@testable import UVMEndorsements
import OpenSSLCrypto
import Testing

@Suite("did:x509") struct DIDX509Tests {
    private static let fingerprint = "I__iuL25oXEVFdTP_aBLx_eT1RPHbCQ_ECBQfYZpt9s"

    @Test("an identifier is taken apart") func parsing() throws {
        let did = try DIDX509(
            "did:x509:0:sha256:\(Self.fingerprint)::eku:1.3.6.1::subject:C:US:O:My%20Org%2C%20Inc.:2.5.4.5:7::san:uri:https%3A%2F%2Fexample.com::fulcio-issuer:accounts.google.com%2Fx"
        )
        #expect(did.fingerprintAlgorithm == .sha256)
        #expect(Hex.encode(did.fingerprint) == "23ffe2b8bdb9a1711515d4cffda04bc7f793d513c76c243f1020507d8669b7db")
        #expect(did.predicates.map(\.name) == ["eku", "subject", "san", "fulcio-issuer"])
        guard case .subject(let pairs) = did.predicates[1], case .alternativeName(_, let uri) = did.predicates[2] else {
            Issue.record("unexpected predicates")
            return
        }
        #expect(pairs.map(\.key) == ["C", "O", "2.5.4.5"])
        #expect(pairs.map(\.value) == ["US", "My Org, Inc.", "7"])
        #expect(uri == "https://example.com")
    }

    @Test(
        "texts that are not identifiers of this version",
        arguments: [
            "", "did:x509", "did:x509:0:sha256", "did:x509:0:sha256:FP", "did:x509:0:sha256:FP:", "did:x509:0:sha256:FP::",
            "did:x509:0:sha256:FP::::eku:1.2", "did:x509:0:sha256:FP::eku:1.2::", "did:x509:0:sha256:FP::eku", "did:x509:0:sha256:FP::eku:",
            "did:x509:0:sha256:FP:eku:1.2", "did:x509:1:sha256:FP::eku:1.2", "did:x509:00:sha256:FP::eku:1.2",
            "did:x509::sha256:FP::eku:1.2", "DID:x509:0:sha256:FP::eku:1.2", "did:web:0:sha256:FP::eku:1.2", "did:x509:0:sha1:FP::eku:1.2",
            "did:x509:0:SHA256:FP::eku:1.2", "did:x509:0:sha384:FP::eku:1.2", "did:x509:0:sha256:FP=::eku:1.2",
            "did:x509:0:sha256:AAAA::eku:1.2", "did:x509:0:sha256:::eku:1.2", "did:x509:0:sha256:FP::eku:1.2:3",
            "did:x509:0:sha256:FP::eku:1..2", "did:x509:0:sha256:FP::eku:1.2a", "did:x509:0:sha256:FP::EKU:1.2",
            "did:x509:0:sha256:FP::oid:1.2", "did:x509:0:sha256:FP::subject:CN", "did:x509:0:sha256:FP::subject:CN:a:O",
            "did:x509:0:sha256:FP::subject", "did:x509:0:sha256:FP::subject:CN:a:CN:a", "did:x509:0:sha256:FP::subject:X:a",
            "did:x509:0:sha256:FP::subject:CN:%", "did:x509:0:sha256:FP::subject:CN:%4", "did:x509:0:sha256:FP::subject:CN:%4G",
            "did:x509:0:sha256:FP::subject:CN:%ff", "did:x509:0:sha256:FP::subject:CN:a b", "did:x509:0:sha256:FP::subject:CN:a+b",
            "did:x509:0:sha256:FP::subject:CN:a~b", "did:x509:0:sha256:FP::san:dns", "did:x509:0:sha256:FP::san:dn:a",
            "did:x509:0:sha256:FP::san:dns:a:b", "did:x509:0:sha256:FP::fulcio-issuer:a:b", "did:x509:0:sha256:FP::eku:1.2\n",
            " did:x509:0:sha256:FP::eku:1.2", "did:x509:0:sha256:FP::eku:1.2#key", "did:x509:0:sha256:FP::eku:1.2?a=b",
            "did:x509:0:sha256:FP::eku:\u{661}.2",
        ]) func refused(_ text: String)
    {
        let text = text.replacing("FP", with: Self.fingerprint)
        #expect(throws: DIDX509Error.self, "\(text)") { try DIDX509(text) }
    }

    @Test("length and number of predicates are bounded") func bounds() throws {
        let start = "did:x509:0:sha256:\(Self.fingerprint)"
        #expect(try DIDX509(start + String(repeating: "::eku:1.2", count: 16)).predicates.count == 16)
        #expect(throws: DIDX509Error.self) { try DIDX509(start + String(repeating: "::eku:1.2", count: 17)) }
        #expect(throws: DIDX509Error.self) { try DIDX509(start + "::eku:1." + String(repeating: "2", count: 2048)) }
    }

    @Test(
        "the fingerprint is that of an authority, with each hash algorithm, and never the leaf's",
        arguments: ["sha256", "sha384", "sha512"]) func fingerprints(_ name: String) throws
    {
        let chain = try TestChain().certificates()
        let digest = try #require(DIDX509.FingerprintAlgorithm(rawValue: name)).digest
        func did(_ certificate: Certificate) throws -> DIDX509 {
            try DIDX509("did:x509:0:\(name):\(Base64.encodeURL(digest.digest(certificate.der)))::eku:1.2.3.4")
        }
        try did(chain[1]).resolve(chain)
        try did(chain[2]).resolve(chain)
        #expect(throws: DIDX509Error.self) { try did(chain[0]).resolve(chain) }
        #expect(throws: DIDX509Error.self) { try did(chain[2]).resolve([chain[0], chain[1]]) }
        #expect(throws: DIDX509Error.self) { try did(chain[0]).resolve([chain[0]]) }
        #expect(throws: DIDX509Error.self) { try did(chain[0]).resolve([]) }
    }

    // MARK: Predicates

    private static func utf8String(_ text: String) -> [UInt8] { [0x0C, UInt8(text.utf8.count)] + Array(text.utf8) }

    /// subjectAltName with an e-mail address, a DNS name, a URI and, last, a directory name.
    private static let alternativeNames: [UInt8] = {
        func name(_ tag: UInt8, _ text: String) -> [UInt8] { [tag, UInt8(text.utf8.count)] + Array(text.utf8) }
        let directory: [UInt8] = [0xA4, 0x02, 0x30, 0x00]
        let names = name(0x81, "bob@example.com") + name(0x82, "www.example.com") + name(0x86, "https://example.com/a b") + directory
        return [0x30, UInt8(names.count)] + names
    }()

    private func leaf() throws -> TestChain {
        var chain = try TestChain()
        chain.leaf.subject = [("C", "US"), ("O", "My Org, Inc."), ("CN", "Ångström"), ("serialNumber", "77")]
        chain.leaf.extendedKeyUsage = ["1.2.3.4", "1.2.3.5"]
        chain.leaf.extraExtensions = [
            (oid: "2.5.29.17", critical: false, value: Self.alternativeNames),
            (oid: "1.3.6.1.4.1.57264.1.1", critical: false, value: Array("https://accounts.google.com".utf8)),
        ]
        return chain
    }

    @Test(
        "predicates that hold",
        arguments: [
            "eku:1.2.3.4", "eku:1.2.3.5", "eku:1.2.3.4::eku:1.2.3.5", "subject:C:US", "subject:O:My%20Org%2C%20Inc.:C:US",
            "subject:CN:%C3%85ngstr%C3%B6m", "subject:CN:%c3%85ngstr%c3%b6m", "subject:2.5.4.5:77", "san:email:bob%40example.com",
            "san:dns:www.example.com", "san:uri:https%3A%2F%2Fexample.com%2Fa%20b", "fulcio-issuer:accounts.google.com",
            "eku:1.2.3.4::subject:C:US::san:dns:www.example.com::fulcio-issuer:accounts.google.com",
        ]) func holds(_ predicate: String) throws
    {
        let result = try leaf().verdict(predicate)
        #expect(result.isVerified, "\(result.checks)")
    }

    @Test(
        "predicates that do not hold",
        arguments: [
            "eku:1.2.3", "eku:1.2.3.4.5", "eku:1.2.3.4::eku:1.2.3.6", "subject:C:DE", "subject:O:My%20Org", "subject:O:my%20org%2C%20inc.",
            "subject:ST:US", "subject:C:US:L:Redmond", "subject:CN:A%CC%8Angstr%C3%B6m", "subject:2.5.4.6:US", "subject:2.5.4.5:78",
            "san:email:alice%40example.com", "san:dns:example.com", "san:dns:WWW.example.com", "san:email:www.example.com",
            "san:uri:https%3A%2F%2Fexample.com", "fulcio-issuer:google.com", "fulcio-issuer:https%3A%2F%2Faccounts.google.com",
        ]) func doesNotHold(_ predicate: String) throws
    { #expect(try leaf().verdict(predicate).failures == ["uvm-did"]) }

    @Test("a leaf without the extension in question satisfies nothing", arguments: ["eku:1.2.3.4", "san:dns:a", "fulcio-issuer:a"])
    func absent(_ predicate: String) throws {
        var chain = try TestChain()
        chain.leaf.extendedKeyUsage = []
        #expect(try chain.verdict(predicate).failures == ["uvm-did"])
    }

    @Test("a subject with an attribute twice is outside of the model") func repeatedAttribute() throws {
        var chain = try TestChain()
        chain.leaf.subject = [("CN", "Leaf"), ("CN", "Other")]
        #expect(try chain.verdict("subject:CN:Leaf").failures == ["uvm-did"])
        #expect(try chain.verdict("eku:1.2.3.4").isVerified)
    }

    @Test("Fulcio's newer extension counts as well, and both must agree") func fulcio() throws {
        var chain = try TestChain()
        let old = (oid: "1.3.6.1.4.1.57264.1.1", critical: false, value: Array("https://a.example".utf8))
        func new(_ text: String) -> (oid: String, critical: Bool, value: [UInt8]) {
            (oid: "1.3.6.1.4.1.57264.1.8", critical: false, value: Self.utf8String(text))
        }
        chain.leaf.extraExtensions = [new("https://a.example")]
        #expect(try chain.verdict("fulcio-issuer:a.example").isVerified)
        chain.leaf.extraExtensions = [old, new("https://a.example")]
        #expect(try chain.verdict("fulcio-issuer:a.example").isVerified)
        chain.leaf.extraExtensions = [old, new("https://b.example")]
        #expect(try chain.verdict("fulcio-issuer:a.example").failures == ["uvm-did"])
        #expect(try chain.verdict("fulcio-issuer:b.example").failures == ["uvm-did"])
        chain.leaf.extraExtensions = [(oid: new("").oid, critical: false, value: Array("https://a.example".utf8))]
        #expect(try chain.verdict("fulcio-issuer:a.example").failures == ["uvm-did"])
    }

    @Test("an issuer that is no did:x509 at all", arguments: ["https://example.com", "did:web:example.com", "x"]) func otherIssuer(
        _ issuer: String
    ) throws {
        let fixture = try Publisher.p384.get()
        var policy = Publisher.policy(fixture)
        policy.trustedIssuers[0].issuer = issuer
        let cose = try fixture.sign(Publisher.header(fixture).with("iss", .text(issuer)), payload: Publisher.document())
        #expect(UVMEndorsementVerifier().verify(cose, policy: policy).failures == ["uvm-did"])
    }
}
