import Issuing
@testable import UVMEndorsements
import OpenSSLCrypto
import Testing

@Suite("Fixture endorsements") struct FixtureTests {
    private let verifier = UVMEndorsementVerifier()

    @Test("verify under their own issuer in both forms", arguments: [UVMEndorsement.Form.json, .hashEnvelope]) func bothForms(
        _ form: UVMEndorsement.Form
    ) throws {
        for (fixture, algorithm) in [(try Publisher.p384.get(), COSEAlgorithm.es384), (try Publisher.rsa3072.get(), .ps384)] {
            let cose = try fixture.endorse(measurement: Publisher.measurement, svn: 104, signingTime: Publisher.now, form: form)
            let result = verifier.verify(cose, policy: Publisher.policy(fixture))
            #expect(result.isVerified, "\(result.checks)")
            let endorsement = try #require(result.endorsement)
            #expect(endorsement.form == form)
            #expect(endorsement.algorithm == algorithm)
            #expect(endorsement.svn == 104)
            #expect(endorsement.signingTime == Publisher.now)
            #expect(endorsement.launchMeasurement == Publisher.measurement)
            #expect(endorsement.certificates.count == 3)
            #expect(endorsement.feed == "Fixture-AMD-UVM")
        }
    }

    @Test("never verify under the default policy") func untrusted() throws {
        let fixture = try Publisher.p384.get()
        let cose = try fixture.endorse(measurement: Publisher.measurement, svn: 104, signingTime: Publisher.now)
        #expect(verifier.verify(cose).failures == ["uvm-issuer"])
    }

    @Test("of somebody who claims Microsoft's identifier do not resolve") func impostor() throws {
        let fixture = try Publisher.p384.get()
        for trusted in TrustedIssuer.microsoft {
            let header = Publisher.header(fixture).with("iss", .text(trusted.issuer)).with("feed", .text(trusted.feed))
            let cose = try fixture.sign(header, payload: Publisher.document())
            #expect(verifier.verify(cose).failures == ["uvm-did"])
        }
    }

    @Test("of an ECDSA key show flipped bits like Microsoft's", arguments: [UVMEndorsement.Form.json, .hashEnvelope]) func flippedBits(
        _ form: UVMEndorsement.Form
    ) throws {
        let fixture = try Publisher.p384.get()
        let policy = Publisher.policy(fixture)
        let cose = try fixture.endorse(measurement: Publisher.measurement, svn: 7, signingTime: Publisher.now, form: form)
        for index in stride(from: 0, to: cose.count, by: 11) {
            let result = verifier.verify(cose.flipping(index, bit: index / 11), policy: policy)
            #expect(!result.isVerified, "byte \(index)")
            #expect(!result.failures.isEmpty)
        }
    }

    @Test("can be made with a stored identity") func stored() throws {
        let key = try PrivateKey.generateEC(.p256)
        var root = CertificateBuilder(subject: [("CN", "R")], issuer: [("CN", "R")], notBefore: Publisher.now, notAfter: Publisher.now + 10)
        root.isCertificateAuthority = true
        var leaf = CertificateBuilder(subject: [("CN", "L")], issuer: [("CN", "R")], notBefore: Publisher.now, notAfter: Publisher.now + 10)
        leaf.extendedKeyUsage = ["1.2.3"]
        let rootKey = try PrivateKey.generateEC(.p256)
        let chain = try [
            leaf.sign(publicKey: key.publicKey, with: rootKey, algorithm: .ecdsa(.sha256)),
            root.sign(publicKey: rootKey.publicKey, with: rootKey, algorithm: .ecdsa(.sha256)),
        ]
        let issuer = "did:x509:0:sha256:\(Base64.encodeURL(chain[1].sha256))::eku:1.2.3"
        let fixture = try UVMFixture(key: key, certificates: chain, issuer: issuer, feed: "Test")
        let cose = try fixture.endorse(measurement: Publisher.measurement, svn: 1, signingTime: Publisher.now + 5)
        let result = verifier.verify(cose, policy: Publisher.policy(fixture))
        #expect(result.isVerified, "\(result.checks)")
        #expect(result.endorsement?.algorithm == .es256)
    }
}
