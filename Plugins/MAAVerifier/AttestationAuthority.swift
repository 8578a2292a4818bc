internal import PlainText
internal import Waiting
internal import AzureServices
internal import BrokerCore
internal import HTTPTransport
internal import Logging
internal import OpenSSLCrypto
internal import StrictJSON

/// Asks an authority for a token and believes it only after verification.
///
/// Which authorities it speaks to: exactly the configured ones where any is configured, otherwise every name below the cloud's attestation
/// suffix, on port 443.
struct AttestationAuthority: Verifier {
    let defaultAuthority: Endpoint?
    private let configured: Set<Endpoint>
    private let suffix: String?
    private let settings: MAASettings
    private let host: HostServices
    let keys: PublishedKeys
    private let chainText = CertificateChainText()

    static let maximumAnswerBytes = 256 * 1024

    init(_ settings: MAASettings, _ host: HostServices) throws(BrokerError) {
        suffix = try AzureCloud(named: host.cloud).attestationSuffix
        defaultAuthority = settings.endpoint ?? settings.additionalEndpoints.first
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
        let runtime = RuntimeDataForm(runtimeData)
        let request = AttestationRequest(
            evidence: evidence, runtime: runtime, nonce: nonce, certificateChain: try chainText.text(of: evidence.endorsements))
        let response = try await ask(authority, request.body(), in: context)
        guard response.status == 200 else { throw refusal(response, of: authority) }
        let compact = try token(in: response.body, of: authority)
        let rules = TokenRules(
            authority: authority, nonce: nonce, runtime: runtime, report: evidence.report, time: host.clock.now(), settings: settings)
        return try await rules.verified(compact, keys: keys, in: context)
    }

    private func ask(_ authority: Endpoint, _ body: [UInt8], in context: RequestContext) async throws(BrokerError) -> HTTPResponse {
        let request = HTTPRequest(
            .post, .service(authority), path: "/attest/SevSnpVm?api-version=\(settings.apiVersion)",
            headers: [("Content-Type", "application/json"), ("Accept", "application/json"), ("User-Agent", settings.userAgent)], body: body,
            deadline: context.deadline.capped(at: settings.timeout), maximumResponseBytes: Self.maximumAnswerBytes)
        do { return try await host.transport.send(request) } catch {
            throw BrokerError(error.brokerCode, at: .verify, "\(authority) cannot be asked for a token: \(error)", cause: error)
        }
    }

    private func token(in body: [UInt8], of authority: Endpoint) throws(BrokerError) -> String {
        do {
            let limits = JSONLimits(maximumBytes: Self.maximumAnswerBytes, maximumDepth: 8)
            return try JSONCursor.parse(body, limits: limits).string("token")
        } catch { throw BrokerError(.upstreamInvalid, at: .verify, "\(authority) sent no token: \(error.description)", cause: error) }
    }

    /// `{"error":{"code":…,"message":…}}` (AttestationService.md, "Refusals").
    private func refusal(_ response: HTTPResponse, of authority: Endpoint) -> BrokerError {
        let limits = JSONLimits(maximumBytes: Self.maximumAnswerBytes, maximumDepth: 16)
        let document = try? JSONCursor.parse(response.body, limits: limits).member("error")
        let said = Self.words([try? document?.optionalString("code"), try? document?.optionalString("message")])
        func error(_ code: BrokerError.Code, _ message: String) -> BrokerError {
            BrokerError(
                code, at: .verify, message, retryAfter: response.retryAfter, upstream: .init(status: response.status, body: response.body),
                details: KnownFailure.find(in: [said])?.details)
        }
        switch response.status {
        case 400: return error(.verificationRejected, "\(authority) rejects the evidence: \(said)")
        case 401, 403: return error(.verificationRejected, "\(authority) refuses this caller (\(response.status)): \(said)")
        case 429: return error(.upstreamThrottled, "\(authority) asks for fewer requests")
        case 408, 500...599: return error(.upstreamUnavailable, "\(authority) answered \(response.status): \(said)")
        case 300...399: return error(.upstreamInvalid, "\(authority) redirects (\(response.status)); redirects are not followed")
        case 404: return error(.upstreamInvalid, "\(authority) knows no /attest/SevSnpVm; check the endpoint and api-version: \(said)")
        default: return error(.upstreamInvalid, "\(authority) answered \(response.status): \(said)")
        }
    }

    private static func words(_ parts: [String?]) -> String {
        let known = parts.compactMap { UpstreamText.line($0, limit: 1000) }
        return known.isEmpty ? "no reason given" : known.joined(separator: ": ")
    }
}
