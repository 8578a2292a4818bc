import BrokerCore
import BrokerTestKit
import HTTPTransport
import MAAVerifier
import Testing

@Suite("maa keeps the verifier contract") struct MAAContractTests {
    @Test("with endpoints found by suffix") func bySuffix() async throws {
        let contract = VerifierContract { how in
            let fixture = try MAAFixture(how)
            let authority = fixture.authority
            return VerifierContract.Subject(
                verifier: fixture.verifier, authority: authority.endpoint, publishedKey: authority.publicKey, log: fixture.log,
                requestCount: { authority.requests.count })
        }
        let violations = await contract.violations()
        #expect(violations == [])
    }

    @Test("with a configured endpoint") func configured() async throws {
        let name = "maa.contoso.example:8443"
        let contract = VerifierContract { how in
            let fixture = try MAAFixture(how, settings: ["endpoint": .string(name)], authority: name)
            let authority = fixture.authority
            return VerifierContract.Subject(
                verifier: fixture.verifier, authority: authority.endpoint, publishedKey: authority.publicKey, log: fixture.log,
                requestCount: { authority.requests.count })
        }
        let violations = await contract.violations()
        #expect(violations == [])
    }

    @Test("the contract notices a verifier that believes everything") func noticesCredulity() async throws {
        struct Credulous: Verifier {
            let authority: ScriptedAuthority
            let defaultAuthority: Endpoint? = nil
            func accepts(_ authority: Endpoint) -> Bool { true }
            func token(for evidence: Evidence, runtimeData: RuntimeData, from authority: Endpoint, in context: RequestContext)
                async throws(BrokerError) -> AttestationToken
            { try AttestationToken(compact: "eyJhbGciOiJub25lIn0.e30.", authority: authority) }
        }
        let contract = VerifierContract { how in
            let fixture = try MAAFixture(how)
            let authority = fixture.authority
            return VerifierContract.Subject(
                verifier: Credulous(authority: authority), authority: authority.endpoint, publishedKey: authority.publicKey,
                log: fixture.log, requestCount: { authority.requests.count })
        }
        let violations = await contract.violations()
        for how in AuthorityMisbehaviour.allCases { #expect(violations.contains("\(how.rawValue): a token came out")) }
        #expect(violations.contains("attacker.example is accepted"))
    }
}
