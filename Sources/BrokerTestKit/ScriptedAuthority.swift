internal import Waiting
internal import Issuing
package import BrokerCore
package import HTTPTransport
internal import JOSE
package import OpenSSLCrypto
internal import StrictJSON
internal import Synchronization

/// An attestation authority in the wire format of Microsoft Azure Attestation (AttestationService.md, "Overview") that really signs, and
/// misbehaves on request.
///
/// It believes whatever report it gets, so its tokens say nothing about any machine: it stands in for the network side of a verifier's
/// tests.
package final class ScriptedAuthority: HTTPTransport {
    package let endpoint: Endpoint
    /// What it publishes at `/certs`.
    package var publicKey: PublicKey { keys.signer.publicKey }

    private let keys: ScriptedAuthorityKeys
    private let certificate: Certificate
    private let clock: any WallClock
    private let misbehaviour: Mutex<AuthorityMisbehaviour?>
    private let recorded = Mutex<[HTTPRequest]>([])
    private let published = Mutex(1)

    static let strangerKeyID = "stranger"

    /// `keys` may be shared by many authorities, because making them takes most of the time.
    package init(
        endpoint: Endpoint, keys: ScriptedAuthorityKeys, misbehaviour: AuthorityMisbehaviour? = nil, clock: any WallClock = ManualClock()
    ) throws {
        self.endpoint = endpoint
        self.keys = keys
        self.clock = clock
        self.misbehaviour = Mutex(misbehaviour)
        certificate = try CertificateBuilder.forTest(endpoint.origin).sign(
            publicKey: keys.signer.publicKey, with: keys.signer, algorithm: .rsaPKCS1(.sha256))
    }

    /// Every request so far, in order.
    package var requests: [HTTPRequest] { recorded.withLock { $0 } }

    /// Changes its mind.
    package func misbehave(_ how: AuthorityMisbehaviour?) { misbehaviour.withLock { $0 = how } }

    /// Publishes the same key under a new name, as after a rotation.
    package func rotateKeyName() { published.withLock { $0 += 1 } }

    /// Standard base64 text on purpose: a key name is opaque (AttestationService.md, "Token").
    package var keyID: String { "kid/\(published.withLock { $0 })+==" }

    package func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        recorded.withLock { $0.append(request) }
        if Task.isCancelled { throw .cancelled }
        if request.deadline.hasPassed { throw .deadlineExceeded }
        guard request.target == .service(endpoint) else { throw .nameNotResolved(host: "\(request.target)") }
        let response: HTTPResponse
        if request.path == "/certs" {
            response = keySet()
        } else if request.path.lowercased().hasPrefix("/attest/sevsnpvm?api-version=") {
            response = try await attest(request)
        } else {
            response = HTTPResponse(status: 404)
        }
        guard response.body.count <= request.maximumResponseBytes else { throw .responseTooLarge(limit: request.maximumResponseBytes) }
        return response
    }

    private func keySet() -> HTTPResponse {
        switch misbehaviour.withLock({ $0 }) {
        case .keysUnavailable: return HTTPResponse(status: 503)
        case .keysNotJSON: return HTTPResponse(status: 200, body: Array("<html>".utf8))
        case .noKeys: return HTTPResponse(status: 200, body: Array(#"{"keys":[]}"#.utf8))
        default:
            // As the real service: the certificate, and neither n nor e (AttestationService.md, "Published keys").
            let document: JSONValue = [
                "keys": [
                    ["kid": .string(keyID), "kty": "RSA", "alg": "RS256", "use": "sig", "x5c": [.string(Base64.encode(certificate.der))]]
                ]
            ]
            return HTTPResponse(status: 200, headers: [("content-type", "application/jwk+json")], body: document.serialized())
        }
    }

    private func attest(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        let how = misbehaviour.withLock { $0 }
        if let refusal = try await AuthorityRefusal.answer(for: how, to: request) { return refusal }
        let asked: AttestRequest
        do { asked = try AttestRequest(request.body ?? []) } catch {
            let document: JSONValue = ["error": ["code": "InvalidParameter", "message": .string("\(error)")]]
            return HTTPResponse(status: 400, body: document.serialized())
        }
        do {
            let forge = TokenForge(issuer: endpoint.origin, keyID: keyID, signer: keys.signer, stranger: keys.stranger, now: clock.now())
            let token = try forge.token(for: asked, how)
            return HTTPResponse(status: 200, body: AuthorityRefusal.wrap(token, how))
        } catch { throw .invalidResponse(reason: "the scripted authority cannot sign: \(error)") }
    }
}

/// What an authority signs with, and what somebody else signs with.
package struct ScriptedAuthorityKeys: Sendable {
    package let signer: PrivateKey
    package let stranger: PrivateKey

    package init() throws {
        signer = try PrivateKey.generateRSA(bits: 2048)
        stranger = try PrivateKey.generateRSA(bits: 2048)
    }
}
