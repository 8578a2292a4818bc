internal import Waiting
internal import BrokerCore
package import HTTPTransport
internal import JOSE
internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON
internal import Synchronization

/// A key store in the wire format of Key Vault and Managed HSM (KeyStores.md, "Release answer") that really wraps and really signs, and
/// misbehaves on request.
///
/// It evaluates no policy and believes every token: it stands in for the network side of a key store's tests.
package final class ScriptedKeyStore: HTTPTransport {
    /// In which of the two services' manners it answers (KeyStores.md, "Vault and HSM").
    package enum Manner: Sendable { case keyVault, managedHSM }

    /// What a store signs with, and what somebody else signs with. Making them takes a while, so share them.
    package struct Signers: Sendable {
        package let chain: SigningChain
        package let stranger: SigningChain
        package let keys: [SampleKey]

        package init(host: String) throws {
            chain = try SigningChain(host: host)
            stranger = try SigningChain(host: host)
            keys = try SampleKey.all()
        }
    }

    package let endpoint: Endpoint
    private let manner: Manner
    private let signers: Signers
    private let misbehaviour: Mutex<StoreMisbehaviour?>
    private let recorded = Mutex<[HTTPRequest]>([])

    package init(endpoint: Endpoint, signers: Signers, manner: Manner = .keyVault, misbehaviour: StoreMisbehaviour? = nil) {
        self.endpoint = endpoint
        self.manner = manner
        self.signers = signers
        self.misbehaviour = Mutex(misbehaviour)
    }

    /// Every request so far, in order.
    package var requests: [HTTPRequest] { recorded.withLock { $0 } }

    /// The bearer tokens that arrived, in order.
    package var bearers: [String] { requests.compactMap { $0.bearer?.reveal() } }

    /// Changes its mind.
    package func misbehave(_ how: StoreMisbehaviour?) { misbehaviour.withLock { $0 = how } }

    package func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        recorded.withLock { $0.append(request) }
        if Task.isCancelled { throw .cancelled }
        if request.deadline.hasPassed { throw .deadlineExceeded }
        guard request.target == .service(endpoint) else { throw .nameNotResolved(host: "\(request.target)") }
        let how = misbehaviour.withLock { $0 }
        if let refusal = try await StoreRefusal.answer(for: how, to: request) { return refusal }
        let response: HTTPResponse
        do { response = try release(request, how) } catch { throw .invalidResponse(reason: "the scripted store cannot answer: \(error)") }
        guard response.body.count <= request.maximumResponseBytes else { throw .responseTooLarge(limit: request.maximumResponseBytes) }
        return response
    }

    private func release(_ request: HTTPRequest, _ how: StoreMisbehaviour?) throws -> HTTPResponse {
        guard request.method == .post, let asked = try ReleaseBody(request) else {
            return StoreRefusal.error(400, "BadParameter", "not a release request")
        }
        guard let key = signers.keys.first(where: { $0.name == asked.key.name }),
            asked.key.version == nil || asked.key.version == key.version
        else { return StoreRefusal.error(404, "KeyNotFound", "A key with (name/id) \(asked.key) was not found") }
        let forge = ReleaseForge(endpoint: endpoint, manner: manner, signers: signers)
        let jws = try forge.answer(to: asked, with: key, how)
        return HTTPResponse(status: 200, headers: [("content-type", "application/json; charset=utf-8")], body: StoreRefusal.wrap(jws, how))
    }
}

/// A decoded release request.
struct ReleaseBody {
    let key: KeyName
    let apiVersion: String
    let enc: KeyWrapAlgorithm
    let nonce: String?
    let wrappingKey: JWK

    /// `nil` where the path or the body is no release request.
    init?(_ request: HTTPRequest) throws {
        let parts = request.path.split(separator: "?", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[0].hasPrefix("/keys/"), parts[0].hasSuffix("/release"), parts[1].hasPrefix("api-version="),
            let key = KeyName(String(parts[0].dropFirst("/keys/".count).dropLast("/release".count)))
        else { return nil }
        self.key = key
        apiVersion = String(parts[1].dropFirst("api-version=".count))
        let body = try JSONCursor.parse(request.body ?? [])
        nonce = try body.optionalString("nonce")
        guard let algorithm = KeyWrapAlgorithm(rawValue: try body.optionalString("enc") ?? "CKM_RSA_AES_KEY_WRAP") else { return nil }
        enc = algorithm
        let token = try JWS(compact: try body.string("target"), maximumBytes: 64 * 1024)
        let keys = try token.payload(limits: JSONLimits()).member("x-ms-runtime").member("keys").array()
        guard let first = keys.first else { return nil }
        wrappingKey = try JWK(first)
    }
}
