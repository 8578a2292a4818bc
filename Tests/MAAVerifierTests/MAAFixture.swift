import BrokerCore
import BrokerTestKit
import HTTPTransport
import MAAVerifier
import OpenSSLCrypto
import StrictJSON

/// Made once for all tests of this target: RSA keys take most of the time.
let authorityKeys = Result { try ScriptedAuthorityKeys() }

let authorityName = "sharedeus2.eus2.attest.azure.net"

/// The verifier in front of a scripted authority.
struct MAAFixture {
    let authority: ScriptedAuthority
    let clock = ManualClock()
    let log = RecordedLog()
    let verifier: any Verifier

    init(_ misbehaviour: AuthorityMisbehaviour? = nil, settings: [String: RawSetting] = [:], authority name: String = authorityName) throws
    {
        authority = try ScriptedAuthority(
            endpoint: try Endpoint(name), keys: try authorityKeys.get(), misbehaviour: misbehaviour, clock: clock)
        verifier = try maaVerifier.makeForTest(settings, host: .forTest(transport: authority, clock: clock, log: log))
    }

    func token(_ data: RuntimeData = runtimeData()) async throws -> AttestationToken {
        try await verifier.token(
            for: try SampleEvidence.evidence(for: data), runtimeData: data, from: authority.endpoint, in: .forTest(log: log))
    }

    func failure(_ data: RuntimeData = runtimeData()) async -> BrokerError? {
        do {
            _ = try await token(data)
            return nil
        } catch { return error as? BrokerError }
    }

    var keyRequests: Int { authority.requests.count { $0.path == "/certs" } }
}

func runtimeData(_ text: String = #"{"keys":[{"e":"AQAB","kid":"k","kty":"RSA","n":"AQAB"}]}"#) -> RuntimeData {
    RuntimeData(Array(text.utf8))
}

/// An authority whose claims a test writes itself.
struct CraftedAuthority {
    let verifier: any Verifier
    let clock: ManualClock
    let endpoint: Endpoint

    /// `claims` gets the nonce of the request and returns the payload.
    init(
        _ name: String = authorityName, settings: [String: RawSetting] = [:], clock: ManualClock = ManualClock(), header: JSONObject? = nil,
        claims: @escaping @Sendable (String) throws -> JSONObject
    ) throws {
        let signer = try authorityKeys.get().signer
        let numbers = signer.publicKey.rsaNumbers
        let transport = ScriptedTransport { request throws(HTTPTransportError) in
            do {
                guard request.path != "/certs" else {
                    let keys: JSONValue = [
                        "keys": [
                            [
                                "kid": "k1", "kty": "RSA", "n": .string(Base64.encodeURL(numbers?.n ?? [])),
                                "e": .string(Base64.encodeURL(numbers?.e ?? [])),
                            ]
                        ]
                    ]
                    return HTTPResponse(status: 200, body: keys.serialized())
                }
                let nonce = try JSONCursor.parse(request.body ?? []).string("nonce")
                // By hand, because a builder would correct the header; the signature is always RS256 and true.
                let parts = [
                    JSONValue.object(header ?? ["alg": "RS256", "kid": "k1"]).serialized(),
                    JSONValue.object(try claims(nonce)).serialized(),
                ].map { Base64.encodeURL($0) }
                let signed = parts.joined(separator: ".")
                let signature = try signer.sign(Array(signed.utf8), algorithm: .rsaPKCS1(.sha256))
                let token = signed + "." + Base64.encodeURL(signature)
                let answer: JSONValue = ["token": .string(token)]
                return HTTPResponse(status: 200, body: answer.serialized())
            } catch { throw .invalidResponse(reason: "\(error)") }
        }
        self.clock = clock
        endpoint = try Endpoint(name)
        verifier = try maaVerifier.makeForTest(settings, host: .forTest(transport: transport, clock: clock))
    }

    func failure(_ evidence: Evidence, _ data: RuntimeData) async -> BrokerError? {
        do {
            _ = try await verifier.token(for: evidence, runtimeData: data, from: endpoint, in: .forTest())
            return nil
        } catch { return error }
    }
}

/// The least that a token for opaque runtime data says.
func opaqueClaims(_ evidence: Evidence, now: Int64) -> JSONObject {
    [
        "iss": .string("https://" + authorityName), "nbf": .integer(now), "exp": .integer(now + 28_800),
        "x-ms-attestation-type": "sevsnpvm", "x-ms-sevsnpvm-reportdata": .string(Hex.encode(evidence.report[0x50..<0x90])),
    ]
}
