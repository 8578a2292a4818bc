internal import PlainText
internal import Waiting
internal import AttestationTokens
internal import AzureServices
package import BrokerCore
package import HTTPTransport
internal import Logging
internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON

/// Secure key release against Key Vault or Managed HSM (Key Vault REST, "Release"; KeyStores.md, "Release request" and "Release answer").
///
/// Which endpoints it answers for: exactly the configured ones where any is configured, otherwise every name exactly one label below the
/// cloud's suffix, on port 443. The access token's audience is the suffix's, so a token can only ever go to the service it was issued for.
package struct AzureKeyStore: KeyStore {
    package let defaultEndpoint: Endpoint?
    private let configured: Set<Endpoint>
    private let kind: KeyStoreKind
    private let suffix: String
    let audience: String
    let settings: KeyStoreSettings
    let host: HostServices
    let reachability: StoreReachability

    /// Longest answer that is read; real ones have 14 KB.
    static let maximumAnswerBytes = 128 * 1024

    /// Asks no service. A mistake in the certificate authorities shows now.
    package init(_ kind: KeyStoreKind, _ settings: KeyStoreSettings, _ host: HostServices) throws(BrokerError) {
        let cloud = try AzureCloud(named: host.cloud)
        self.kind = kind
        self.settings = settings
        self.host = host
        reachability = StoreReachability(transport: host.transport, clock: host.clock)
        suffix = kind.suffix(in: cloud)
        audience = kind.audience(in: cloud)
        defaultEndpoint = settings.endpoint ?? settings.additionalEndpoints.first
        configured = Set(settings.additionalEndpoints + [settings.endpoint].compactMap(\.self))
        _ = try Self.trustStore(of: host, at: .startup)
    }

    private static func trustStore(of host: HostServices, at stage: BrokerError.Stage) throws(BrokerError) -> TrustStore {
        do { return try host.trust.store() } catch {
            throw BrokerError(
                .misconfigured, at: stage, "the certificate authorities for release signatures cannot be loaded: \(error)", cause: error)
        }
    }

    package func claims(_ endpoint: Endpoint) -> Bool {
        guard configured.isEmpty else { return configured.contains(endpoint) }
        return endpoint.port == 443 && endpoint.isDirectlyUnder(suffix)
    }

    package func prepare(for endpoint: Endpoint, as caller: CallerCredential, in context: RequestContext) async throws(BrokerError) {
        guard claims(endpoint) else { return }
        _ = try await bearer(for: caller, in: context)
    }

    package func release(_ key: KeyReference, presenting token: AttestationToken, as caller: CallerCredential, in context: RequestContext)
        async throws(BrokerError) -> WrappedKey
    {
        // Checked again here: whoever routes, no token leaves for a host that this store does not answer for.
        guard claims(key.store) else {
            throw BrokerError(.noProvider, at: .release, "\(key.store) is no configured \(kind.displayName) endpoint")
        }
        let bearer = try await bearer(for: caller, in: context)
        let nonce = SecureRandom.hex(32)
        let response = try await ask(key, token, nonce, bearer, in: context)
        guard response.status == 200 else {
            throw await explained(ServiceRefusal(response, key: key), key, token, bearer, in: context)
        }
        let expected = ExpectedAnswer(key: key, nonce: nonce, algorithm: settings.wrapAlgorithm, wrappingKey: token.content.encryptionKey)
        let verifier = SignedAnswer(
            trust: try Self.trustStore(of: self.host, at: .release), host: key.store.host, time: host.clock.now())
        func disbelieved(_ error: any Error & Sendable & CustomStringConvertible) -> BrokerError {
            BrokerError(.upstreamInvalid, at: .release, "the answer of \(key.store) cannot be believed: \(error.description)", cause: error)
        }
        let payload: JSONCursor
        do { payload = try verifier.payload(of: response.body) } catch { throw disbelieved(error) }
        do { return try expected.wrappedKey(in: payload) } catch { throw disbelieved(error) }
    }

    /// The refusal with what can be found out about it. Only a no that may be about the policy costs another request.
    private func explained(
        _ refusal: ServiceRefusal, _ key: KeyReference, _ token: AttestationToken, _ bearer: Redacted<String>, in context: RequestContext
    ) async -> BrokerError {
        let error = refusal.error
        guard refusal.mayBeAboutPolicy else { return error }
        let explainer = DenialExplainer(
            reader: PolicyReader(transport: host.transport, apiVersion: settings.apiVersion, timeout: settings.timeout), kind: kind,
            key: key)
        let details = await explainer.details(of: refusal.known, token: token, bearer: bearer, in: context)
        context.logger.notice(
            "release denied", metadata: ["key": "\(key)", "cause": "\(details.cause)", "explanation": "\(details.summary)"])
        return error.explained(by: details)
    }

    private func bearer(for caller: CallerCredential, in context: RequestContext) async throws(BrokerError) -> Redacted<String> {
        switch caller {
        case .broker: return try await host.accessTokens.accessToken(for: audience, in: context)
        case .bearer(let token):
            let text = token.reveal()
            guard text.utf8.consists(of: .visible, count: 1...32 * 1024) else {
                throw BrokerError(
                    .invalidRequest, at: .identity, "the access token of the request is empty, too long or not printable ASCII")
            }
            return token
        }
    }

    private func ask(
        _ key: KeyReference, _ token: AttestationToken, _ nonce: String, _ bearer: Redacted<String>, in context: RequestContext
    ) async throws(BrokerError) -> HTTPResponse {
        let body: JSONValue = ["target": .string(token.compact), "nonce": .string(nonce), "enc": .string(settings.wrapAlgorithm.rawValue)]
        // A KeyName holds nothing that would need escaping in a path.
        let request = HTTPRequest(
            .post, .service(key.store), path: "/keys/\(key.name)/release?api-version=\(settings.apiVersion)",
            headers: [("Content-Type", "application/json"), ("Accept", "application/json")], bearer: bearer, body: body.serialized(),
            deadline: context.deadline.capped(at: settings.timeout), maximumResponseBytes: Self.maximumAnswerBytes, purpose: .keyStore,
            repeatsUntil: context.deadline)
        do { return try await host.transport.send(request) } catch {
            throw BrokerError(
                error.brokerCode, at: .release, "\(key.store) cannot be asked for the key: \(error)", retryAfter: error.retryAfter,
                cause: error)
        }
    }
}
