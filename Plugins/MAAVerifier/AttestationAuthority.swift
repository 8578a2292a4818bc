internal import PlainText
internal import Waiting
internal import AttestationTokens
internal import AzureServices
internal import BrokerCore
internal import HTTPTransport
internal import JOSE
internal import Logging
internal import OpenSSLCrypto
internal import StrictJSON

/// Asks an authority for a token and believes it only after verification.
///
/// Which authorities it speaks to: exactly the configured ones where any is configured, otherwise every name below the cloud's attestation
/// suffix, on port 443.
struct AttestationAuthority: Verifier {
    let defaultAuthority: Endpoint?
    let alternateAuthorities: [Endpoint]
    private let configured: Set<Endpoint>
    private let suffix: String?
    private let settings: MAASettings
    private let host: HostServices
    let keys: PublishedKeys

    static let maximumAnswerBytes = 256 * 1024

    init(_ settings: MAASettings, _ host: HostServices) throws(BrokerError) {
        suffix = try AzureCloud(named: host.cloud).attestationSuffix
        defaultAuthority = settings.endpoint ?? settings.additionalEndpoints.first
        let first = defaultAuthority
        alternateAuthorities = settings.failsOver ? settings.additionalEndpoints.filter { $0 != first } : []
        configured = Set(settings.additionalEndpoints + [settings.endpoint].compactMap(\.self))
        self.settings = settings
        self.host = host
        keys = PublishedKeys(transport: host.transport, clock: host.clock, timeout: settings.timeout, maximumAge: settings.keysMaximumAge)
    }

    func accepts(_ authority: Endpoint) -> Bool {
        guard configured.isEmpty else { return configured.contains(authority) }
        guard let suffix else { return false }
        return authority.port == 443 && authority.isUnder(suffix)
    }

    func token(for evidence: Evidence, runtimeData: RuntimeData, from authority: Endpoint, in context: RequestContext)
        async throws(BrokerError) -> AttestationToken
    {
        guard accepts(authority) else { throw BrokerError(.noProvider, at: .verify, "\(authority) is no configured attestation authority") }
        let nonce = SecureRandom.hex(32)
        let runtime = RuntimeDataForm(runtimeData.bytes)
        let request = AttestationRequest(evidence: evidence, runtime: runtime, nonce: nonce)
        let response = try await ask(authority, request.body(), in: context)
        guard response.status == 200 else { throw refusal(response, of: authority) }
        let compact = try token(in: response.body, of: authority)
        var demands = TokenVerification.Demands(authority: authority.origin, time: host.clock.now())
        demands.clockSkew = settings.clockSkew.components.seconds
        demands.nonce = nonce
        demands.requiresNonce = settings.requiresNonce
        demands.runtimeData = runtime
        demands.report = evidence.report
        demands.allowsDebug = !settings.refusesDebug
        return try await verified(compact, demands, of: authority, in: context)
    }

    private func verified(
        _ compact: String, _ demands: TokenVerification.Demands, of authority: Endpoint, in context: RequestContext
    ) async throws(BrokerError) -> AttestationToken {
        func disbelieved(_ reason: String, _ cause: (any Error & Sendable)? = nil) -> BrokerError {
            BrokerError(.upstreamInvalid, at: .verify, "the token of \(authority) cannot be believed: \(reason)", cause: cause)
        }
        let token: MAAToken
        do { token = try MAAToken(compact: compact) } catch { throw disbelieved(error.reason, error) }
        var published: JWKSet?
        // Nothing is fetched for a token that no key could have signed.
        if let kid = token.signingKeyID { published = try await keys.keys(of: authority, for: kid, in: context) }
        let verification = TokenVerification(token, keys: published, demands: demands)
        guard verification.failures != ["debuggable"] || demands.allowsDebug else {
            throw BrokerError(
                .verificationRejected, at: .verify,
                "the guest may be debugged by its host, or the token does not say that it may not, and verifier.maa.refuse-debug is set; "
                    + "start it without the debug policy")
        }
        guard verification.isVerified else { throw disbelieved(verification.checks.complaint) }
        return AttestationToken(token, authority: authority)
    }

    private func ask(_ authority: Endpoint, _ body: [UInt8], in context: RequestContext) async throws(BrokerError) -> HTTPResponse {
        let request = HTTPRequest(
            .post, .service(authority), path: "/attest/SevSnpVm?api-version=\(settings.apiVersion)",
            headers: [("Content-Type", "application/json"), ("Accept", "application/json"), ("User-Agent", settings.userAgent)], body: body,
            deadline: context.deadline.capped(at: settings.timeout), maximumResponseBytes: Self.maximumAnswerBytes, purpose: .attestation,
            repeatsUntil: context.deadline)
        do { return try await host.transport.send(request) } catch {
            throw BrokerError(
                error.brokerCode, at: .verify, "\(authority) cannot be asked for a token: \(error)", retryAfter: error.retryAfter,
                cause: error)
        }
    }

    private func token(in body: [UInt8], of authority: Endpoint) throws(BrokerError) -> String {
        do {
            let limits = JSONLimits(maximumBytes: Self.maximumAnswerBytes, maximumDepth: 8)
            return try JSONCursor.parse(body, limits: limits).string("token")
        } catch { throw BrokerError(.upstreamInvalid, at: .verify, "\(authority) sent no token: \(error.description)", cause: error) }
    }

    private func refusal(_ response: HTTPResponse, of authority: Endpoint) -> BrokerError {
        let refusal = UpstreamRefusal(response, of: "\(authority)", at: .verify)
        switch response.status {
        case 400: return refusal.error(.verificationRejected, "\(authority) rejects the evidence: \(refusal.said)")
        case 401, 403:
            return refusal.error(.verificationRejected, "\(authority) refuses this caller (\(response.status)): \(refusal.said)")
        case 404:
            return refusal.error(
                .upstreamInvalid, "\(authority) knows no /attest/SevSnpVm; check the endpoint and api-version: \(refusal.said)")
        default: return refusal.error
        }
    }
}
