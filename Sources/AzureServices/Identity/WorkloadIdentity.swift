internal import PlainText
internal import Waiting
internal import BrokerCore
internal import HTTPTransport
internal import Logging
internal import OpenSSLCrypto
internal import StrictJSON

/// Exchanges a federated token, which the platform rotates in a file, for an access token (EntraTokens.md, "Federated exchange").
struct WorkloadIdentity: RetryingIssuer {
    let clientID: String
    let tenantID: String
    let tokenFile: String
    let authority: Endpoint
    /// Bound on one attempt.
    let timeout: Duration
    let transport: any HTTPTransport
    let clock: any WallClock
    let sleep: Sleeper

    private static let maximumAssertionBytes = 64 * 1024

    var identity: String { "workload identity \(clientID) of tenant \(tenantID)" }

    func attempt(_ audience: String, _ deadline: Deadline) async -> Attempt<AcquiredToken> {
        let assertion: String
        do { assertion = try await readAssertion(until: deadline.capped(at: timeout)) } catch { return .failed(error) }
        let form = [
            ("client_id", clientID), ("scope", audience + "/.default"), ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), ("client_assertion", assertion),
        ].map { "\($0)=\(percentEncoded($1))" }.joined(separator: "&")
        let request = HTTPRequest(
            .post, .service(authority), path: "/\(percentEncoded(tenantID))/oauth2/v2.0/token",
            headers: [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")], body: Array(form.utf8),
            deadline: deadline.capped(at: timeout), maximumResponseBytes: TokenAnswer.maximumBytes, purpose: .identity)
        do { return answer(try await transport.send(request), assertion) } catch { return failure(error) }
    }

    /// Read at every use: the platform replaces the file before the token in it expires.
    private func readAssertion(until deadline: Deadline) async throws(BrokerError) -> String {
        let content: [UInt8]
        do { content = try await BoundedFile.read(tokenFile, limit: Self.maximumAssertionBytes, until: deadline) } catch {
            throw BrokerError(.identityFailed, at: .identity, "the federated token cannot be read: \(error.description)", cause: error)
        }
        let text = String(decoding: content.trimmed(.whiteSpace), as: UTF8.self)
        if text.isEmpty { throw BrokerError(.identityFailed, at: .identity, "the federated token file \(tokenFile) is empty") }
        guard TokenAnswer.isFieldValue(text, limit: Self.maximumAssertionBytes) else {
            throw BrokerError(.identityFailed, at: .identity, "the federated token file \(tokenFile) holds something else than a token")
        }
        return text
    }

    private func answer(_ response: HTTPResponse, _ assertion: String) -> Attempt<AcquiredToken> {
        let refusal = UpstreamRefusal(response, of: "\(authority)", at: .identity)
        switch response.status {
        case 200:
            do { return .done(try TokenAnswer.parse(response.body, from: "\(authority)", now: clock.now())) } catch {
                return .failed(error)
            }
        case 400, 401, 403:
            return .failed(
                refusal.error(
                    .identityFailed, "\(authority) refused the federated token: \(refusal.said)\(advice(refusal, assertion))"))
        default: return .refused(refusal.error, .tokenEndpoint)
        }
    }

    private func failure(_ error: HTTPTransportError) -> Attempt<AcquiredToken> {
        func wrapped(_ code: BrokerError.Code) -> BrokerError {
            BrokerError(
                code, at: .identity, "\(authority) cannot be asked for a token: \(error)", retryAfter: error.retryAfter, cause: error)
        }
        switch error {
        case .deadlineExceeded, .connectionFailed: return .again(wrapped(.upstreamUnavailable), .tokenEndpoint)
        default: return .failed(wrapped(error.brokerCode))
        }
    }

    /// What the federated credential has to say, where Entra ID found none that matches (AADSTS70021, 70021x).
    private func advice(_ refusal: UpstreamRefusal, _ assertion: String) -> String {
        guard refusal.message?.contains("AADSTS70021") == true, let claims = claims(of: assertion) else { return "" }
        return "; the federated credential must have exactly \(claims)"
    }

    // Issuer, subject and audience are names, not secrets; the token itself never leaves this function.
    private func claims(of assertion: String) -> String? {
        let parts = assertion.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64.decodeURL(String(parts[1])),
            let payload = try? JSONCursor.parse(bytes, limits: JSONLimits(maximumBytes: 16 * 1024, maximumDepth: 8)),
            let issuer = try? payload.string("iss"), let subject = try? payload.string("sub")
        else { return nil }
        let audience = (try? payload.string("aud")) ?? (try? payload.array("aud").first?.string()) ?? "?"
        let words = "issuer '\(issuer)', subject '\(subject)', audience '\(audience)'"
        return UpstreamText.line(words, limit: 600)
    }
}
