import Issuing
@testable import UVMEndorsements
import OpenSSLCrypto
import Testing

@Suite("Certificate chains of endorsements") struct CertificateChainTests {
    private var chain: TestChain

    init() throws { chain = try TestChain() }

    @Test("the unchanged chain, pinned at either authority") func control() throws {
        #expect(try chain.verdict().failures == [])
        #expect(try chain.verdict(pinning: 1).isVerified)
    }

    @Test("an issuer that is no certificate authority") mutating func noAuthority() throws {
        chain.authority.isCertificateAuthority = false
        let result = try chain.verdict()
        #expect(result.failures == ["uvm-chain"])
        #expect(result.detail(.chain) == "certificate 2 is not a certificate authority")
    }

    @Test("an issuer without basicConstraints") mutating func noConstraints() throws {
        chain.root.isCertificateAuthority = nil
        #expect(try chain.verdict().failures == ["uvm-chain"])
    }

    @Test("an authority that may not sign certificates") mutating func authorityUsage() throws {
        chain.authority.keyUsage = [.digitalSignature]
        #expect(try chain.verdict().failures == ["uvm-chain"])
    }

    @Test("a root that allows no authority below it") mutating func pathLength() throws {
        chain.root.pathLength = 0
        #expect(try chain.verdict().failures == ["uvm-chain"])
        chain.root.pathLength = 1
        chain.authority.pathLength = 0
        #expect(try chain.verdict().isVerified)
    }

    @Test("a name that is not the issuer's") mutating func issuerName() throws {
        chain.leaf.issuer = [("CN", "Somebody Else")]
        #expect(try chain.verdict().failures == ["uvm-chain"])
    }

    @Test("a last certificate that claims to be its own issuer") mutating func falseRoot() throws {
        let own = try chain.certificates()
        let other = try TestChain().certificates()
        // Same names, other keys: neither link holds.
        let complaints = EndorsementSigners(certificates: [own[0], own[1], other[2]]).linkComplaints()
        #expect(complaints == ["certificate 2 is not signed by certificate 3"])
        #expect(EndorsementSigners(certificates: [own[0], other[1], other[2]]).isLeafIntact == false)
    }

    @Test("signatures over SHA-1") mutating func sha1() throws {
        chain.algorithm = .ecdsa(.sha1)
        #expect(try chain.verdict().failures == ["uvm-chain"])
    }

    @Test("a leaf whose key may not sign, and one without key usage") mutating func leafUsage() throws {
        chain.leaf.keyUsage = [.keyAgreement]
        let result = try chain.verdict()
        #expect(result.failures == ["uvm-certificate"])
        #expect(result.detail(.certificate).contains("does not allow digital signatures"))
        chain.leaf.keyUsage = []
        #expect(try chain.verdict().isVerified)
    }

    @Test("a critical extension that nobody here understands", arguments: [true, false]) mutating func criticalExtension(isCritical: Bool)
        throws
    {
        chain.authority.extraExtensions = [(oid: "1.3.6.1.4.1.32473.1", critical: isCritical, value: [5, 0])]
        #expect(try chain.verdict().failures == (isCritical ? ["uvm-certificate"] : []))
    }

    @Test("an extension twice") mutating func duplicateExtension() throws {
        chain.leaf.extraExtensions = [
            (oid: "1.3.6.1.4.1.32473.1", critical: false, value: [5, 0]),
            (oid: "1.3.6.1.4.1.32473.1", critical: false, value: [1, 1, 0xFF]),
        ]
        #expect(try chain.verdict().failures == ["uvm-certificate"])
    }

    @Test("validity is judged at the time of signing") mutating func validity() throws {
        let day = Publisher.day
        #expect(try chain.verdict(signingTime: Publisher.now + day).isVerified)
        #expect(try chain.verdict(signingTime: Publisher.now + day + 1).failures == ["uvm-validity"])
        let early = try chain.verdict(signingTime: Publisher.now - day - 1)
        #expect(early.failures == ["uvm-validity"])
        #expect(early.detail(.validity).contains("the leaf certificate is valid from 2025-06-14T15:06:40Z"))
        chain.root.notAfter = Publisher.now - 1
        #expect(try chain.verdict().failures == ["uvm-validity"])
    }

    @Test("without a claimed time of signing the present counts, and is needed") func present() throws {
        let fixture = try Publisher.p384.get()
        let cose = try fixture.sign(Publisher.header(fixture).with("signingtime", nil), payload: Publisher.document())
        var policy = Publisher.policy(fixture)
        #expect(UVMEndorsementVerifier().verify(cose, policy: policy).failures == ["uvm-validity"])
        policy.time = Publisher.now
        #expect(UVMEndorsementVerifier().verify(cose, policy: policy).isVerified)
        policy.time = Publisher.now + 101 * Publisher.day
        #expect(UVMEndorsementVerifier().verify(cose, policy: policy).failures == ["uvm-validity"])
    }
}
