package import BrokerCore
internal import OpenSSLCrypto
package import SecureMemory
internal import StrictJSON

/// What an access token says of itself, unverified: enough to see before it is sent that a service would refuse it, and never a reason to
/// trust it (EntraTokens.md, "Access tokens").
package struct AccessTokenContent: Sendable {
    private static let maximumBytes = 32 * 1024
    /// Clocks may differ by this much, in seconds.
    private static let clockSkew: Int64 = 300

    package let audience: String?
    package let tenant: String?
    private let notBefore: Int64?
    private let expires: Int64?

    /// `nil` where the token is no JWT: only its service can judge it then.
    package init?(_ token: Redacted<String>) {
        let parts = token.reveal().utf8.prefix(Self.maximumBytes).split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let payload = Base64.decodeURL(String(decoding: parts[1], as: UTF8.self)),
            let claims = try? JSONCursor.parse(payload, limits: JSONLimits(maximumBytes: Self.maximumBytes, bigIntegers: .asReal)),
            (try? claims.object()) != nil
        else { return nil }
        audience = try? claims.optionalString("aud")
        tenant = try? claims.optionalString("tid")
        notBefore = try? claims.optionalInteger("nbf")
        expires = try? claims.optionalInteger("exp")
    }

    /// Why a service that takes tokens for `wanted` would refuse this one at `now`; `nil` where nothing speaks against it. An audience
    /// that is an application's id is not judged.
    package func complaint(wanted: String, now: Int64) -> BrokerError? {
        if let audience, audience.lowercased().hasPrefix("https://"), Self.trimmed(audience) != Self.trimmed(wanted) {
            let shown = BrokerError.Upstream(status: 0, body: Array(audience.utf8.prefix(200))).body
            return Self.refusal("wrong-audience", "the access token is for \(shown); this store takes those for \(wanted)")
        }
        if let expires, expires <= now {
            return Self.refusal(
                "access-token-rejected", "the access token expired \(Self.words(from: expires, to: now)) ago, by this machine's clock")
        }
        if let notBefore, notBefore > now + Self.clockSkew {
            return Self.refusal(
                "access-token-rejected",
                "the access token is not valid before \(Self.words(from: now, to: notBefore)) from now, by this machine's clock")
        }
        return nil
    }

    /// The same for a store that names its tenant.
    package func complaint(storeTenant: String) -> BrokerError? {
        guard let tenant, Self.isGUID(tenant), Self.isGUID(storeTenant), tenant.lowercased() != storeTenant.lowercased() else { return nil }
        return Self.refusal(
            "access-token-rejected",
            "the access token is of tenant \(tenant.lowercased()); this store belongs to tenant \(storeTenant.lowercased())")
    }

    /// The Azure CLI's command for a token, in the tenant where one is known.
    package static func command(audience: String, tenant: String? = nil) -> String {
        let tenant = tenant.map { " --tenant \($0)" } ?? ""
        return "az account get-access-token --resource \(audience)\(tenant) --query accessToken --output tsv"
    }

    private static func refusal(_ cause: String, _ message: String) -> BrokerError {
        let summary = KnownFailure.named(cause)?.summary ?? message
        return BrokerError(.identityFailed, at: .identity, message, details: BrokerError.Details(cause: cause, summary: summary))
    }

    private static func trimmed(_ audience: String) -> String {
        let lower = audience.lowercased()
        return lower.hasSuffix("/") ? String(lower.dropLast()) : lower
    }

    private static func isGUID(_ text: String) -> Bool {
        text.utf8.count == 36 && text.utf8.allSatisfy { ($0 < 0x80 && Character(Unicode.Scalar($0)).isHexDigit) || $0 == UInt8(ascii: "-") }
    }

    /// A token may state any time.
    private static func words(from start: Int64, to end: Int64) -> String {
        let (seconds, isEndless) = end.subtractingReportingOverflow(start)
        return words(isEndless ? .max : seconds)
    }

    private static func words(_ seconds: Int64) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        default: "\(seconds / 3600) h"
        }
    }
}
