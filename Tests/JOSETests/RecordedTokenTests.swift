import EvidenceSamples
import JOSE
import StrictJSON
import Testing

@Suite(.enabled(if: EvidenceSample.isAvailable, "../shared/evidence is not there")) struct RecordedTokenTests {
    @Test func theTokenOfARealAuthorityParses() throws {
        let sample = try #require(EvidenceSample(named: "azure-aci-milan-v2-maa-token"))
        let text = String(decoding: try #require(sample.file("maa-token.jwt")), as: UTF8.self)
        let jws = try JWS(compact: String(text.prefix { !$0.isWhitespace }), maximumBytes: 64 * 1024)
        #expect(jws.algorithm == "RS256")
        #expect(jws.header["typ"] == "JWT")
        #expect(jws.keyID?.hasSuffix("=") == true, "an identifier in standard base64")
        #expect(jws.signature.count == 256)
        let claims = try JSONValue.parse(try #require(sample.file("maa-token-claims.json")))
        #expect(try jws.payload().value == claims)
        #expect(try #require(claims.members).count > 20)
    }
}
