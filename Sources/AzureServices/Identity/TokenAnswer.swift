internal import BrokerCore
internal import HTTPTransport
internal import PlainText
internal import SecureMemory
internal import StrictJSON

/// An access token as a token endpoint gave it out.
struct AcquiredToken: Sendable {
    let token: Redacted<String>
    /// Seconds from now for which it is valid, more than zero.
    let lifetime: Int64

    /// Reused until 80 % of its life, and never within 60 s of its end.
    var reusableFor: Duration { .seconds(max(0, min(lifetime * 4 / 5, lifetime - 60))) }
}

/// Reads the answers of IMDS (all values strings) and of Entra ID (JSON numbers); ManagedIdentity.md, "Token answer";
/// EntraTokens.md, "Token answer".
enum TokenAnswer {
    static let maximumBytes = 128 * 1024
    /// Longest access token that is passed on; a header field has to carry it.
    static let maximumTokenBytes = 32 * 1024

    static func parse(_ body: [UInt8], from service: String, now: Int64) throws(BrokerError) -> AcquiredToken {
        func invalid(_ reason: String, cause: (any Error & Sendable)? = nil) -> BrokerError {
            BrokerError(.upstreamInvalid, at: .identity, "\(service) gave no usable token: \(reason)", cause: cause)
        }
        let text: String
        let type: String?
        let expiresIn: Int64?
        let expiresOn: Int64?
        do {
            let answer = try JSONCursor.parse(body, limits: JSONLimits(maximumBytes: maximumBytes, maximumDepth: 8))
            text = try answer.string("access_token")
            type = try answer.optionalString("token_type")
            expiresIn = try answer.optional("expires_in")?.integerOrNumericString()
            expiresOn = try answer.optional("expires_on")?.integerOrNumericString()
        } catch { throw invalid(error.description, cause: error) }
        guard type == nil || type?.lowercased() == "bearer" else { throw invalid("token_type is not Bearer") }
        guard isFieldValue(text, limit: maximumTokenBytes) else { throw invalid("access_token is empty, too long or not printable ASCII") }
        let (untilThen, overflow) = (expiresOn ?? 0).subtractingReportingOverflow(now)
        let candidates = [expiresIn, expiresOn == nil || overflow ? nil : untilThen].compactMap(\.self)
        guard let lifetime = candidates.min() else { throw invalid("neither expires_in nor expires_on is there") }
        guard lifetime > 0 else { throw invalid("the token has already expired; if that cannot be, check this machine's clock") }
        // No token lives longer than a few days; an absurd number must not keep one here.
        return AcquiredToken(token: Redacted(text), lifetime: min(lifetime, 7 * 86_400))
    }

    /// Printable ASCII without spaces: what may stand in a header field behind `Bearer`.
    static func isFieldValue(_ text: String, limit: Int) -> Bool {
        text.utf8.consists(of: .visible, count: 1...limit)
    }
}
