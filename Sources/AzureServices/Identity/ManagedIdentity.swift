internal import Waiting
internal import BrokerCore
internal import HTTPTransport
internal import Logging
internal import StrictJSON

/// Asks a service on this machine for a token of a managed identity (ManagedIdentity.md, "Token request", "Errors and retries" and
/// "Other endpoints").
struct ManagedIdentity: RetryingIssuer {
    let selector: IdentitySelector?
    let service: IdentityService
    /// Bound on one attempt.
    let timeout: Duration
    let transport: any HTTPTransport
    let clock: any WallClock
    let sleep: Sleeper

    var identity: String { "managed identity \(selector.map { "\($0)" } ?? "of this machine")" }

    func attempt(_ audience: String, _ deadline: Deadline) async -> Attempt<AcquiredToken> {
        let request = HTTPRequest(
            .get, .metadata(host: service.host, port: service.port), path: service.request(audience: audience, selector),
            headers: service.headers, deadline: deadline.capped(at: timeout), maximumResponseBytes: TokenAnswer.maximumBytes,
            purpose: .identity)
        do { return answer(try await transport.send(request), audience) } catch { return failure(error) }
    }

    private func answer(_ response: HTTPResponse, _ audience: String) -> Attempt<AcquiredToken> {
        let refusal = UpstreamRefusal(response, of: service.name, at: .identity)
        switch response.status {
        case 200:
            do { return .done(try TokenAnswer.parse(response.body, from: service.name, now: clock.now())) } catch { return .failed(error) }
        case 400 where refusal.code == "invalid_resource":
            return .failed(refusal.error(.identityFailed, "the tenant does not know \(audience): \(refusal.said)"))
        case 400:
            return .failed(
                refusal.error(
                    .identityFailed,
                    "there is no such managed identity here (\(refusal.said)); assign one to this machine, "
                        + "or name one of several with identity.client-id"))
        case 403 where contains("unreachable", response.body):
            return .failed(refusal.error(.identityFailed, "there is no metadata service here; use workload identity or send a token"))
        case 401, 403:
            return .failed(refusal.error(.identityFailed, "\(service.name) refused (\(response.status)): \(refusal.said)"))
        case 404: return .refused(refusal.error(.upstreamUnavailable, "\(service.name) does not know the identity yet (404)"), .transient)
        case 410:
            return .refused(
                refusal.error(.upstreamUnavailable, "\(service.name) is being updated (410); that takes up to 70 s"), .updating)
        default: return .refused(refusal.error, .transient)
        }
    }

    private func failure(_ error: HTTPTransportError) -> Attempt<AcquiredToken> {
        func wrapped(_ code: BrokerError.Code) -> BrokerError {
            BrokerError(
                code, at: .identity, "\(service.name) at \(service.host):\(service.port) cannot be asked: \(error)",
                retryAfter: error.retryAfter, cause: error)
        }
        switch error {
        case .deadlineExceeded: return .again(wrapped(.upstreamUnavailable), .transient)
        case .connectionFailed, .nameNotResolved: return .again(wrapped(.upstreamUnavailable), .unreachable)
        default: return .failed(wrapped(error.brokerCode))
        }
    }

    private func contains(_ word: String, _ body: [UInt8]) -> Bool { String(decoding: body.prefix(4096), as: UTF8.self).contains(word) }
}
