internal import Waiting
internal import BrokerCore
internal import HTTPTransport
internal import OpenSSLCrypto
internal import ReleasePolicy
internal import SecureMemory
internal import StrictJSON

/// Reads a key's release policy (Key Vault REST, "Get Key"; KeyStores.md, "Keys in answers"). Asked only after a denial.
struct PolicyReader: Sendable {
    let transport: any HTTPTransport
    let apiVersion: String
    /// Bound on the one request.
    let timeout: Duration

    /// Why there is no policy to look at.
    enum Obstacle: Error {
        /// The caller lacks the permission `get`.
        case notPermitted
        /// Anything else, as the end of a sentence.
        case other(String)
    }

    func policy(of key: KeyReference, _ bearer: Redacted<String>, in context: RequestContext) async throws(Obstacle) -> ReleasePolicy {
        // The explanation must not cost the caller the answer: a quarter of what is left of the request stays for giving it.
        let patience = min(timeout, context.deadline.remaining * 3 / 4)
        let request = HTTPRequest(
            .get, .service(key.store), path: "/keys/\(key.name)?api-version=\(apiVersion)", headers: [("Accept", "application/json")],
            bearer: bearer, deadline: context.deadline.capped(at: patience), maximumResponseBytes: 2 * ReleasePolicy.maximumBytes,
            purpose: .keyStore)
        let response: HTTPResponse
        do { response = try await transport.send(request) } catch { throw .other("the key could not be read: \(error)") }
        switch response.status {
        case 200: return try Self.policy(in: response.body)
        case 401, 403: throw .notPermitted
        default: throw .other("the key could not be read: the store answered \(response.status)")
        }
    }

    private static func policy(in body: [UInt8]) throws(Obstacle) -> ReleasePolicy {
        let data: String?
        do {
            let limits = JSONLimits(maximumBytes: 2 * ReleasePolicy.maximumBytes, maximumDepth: 16, bigIntegers: .asReal)
            data = try JSONCursor.parse(body, limits: limits).optional("release_policy")?.optionalString("data")
        } catch { throw .other("the key's description is not what a key store sends") }
        guard let data else { throw .other("the key has no release policy, so it can never be released") }
        guard let bytes = Base64.decodeLenient(data) else { throw .other("the key's release policy is not base64url") }
        do { return try ReleasePolicy(json: bytes) } catch { throw .other("the key's release policy cannot be read (\(error))") }
    }
}
