package import AttestationTokens
public import HTTPTransport

/// A verifier's statement about this machine: a signed JWT that was verified before it became a value of this type.
///
/// It is taken apart once, when the value is made; whoever needs a claim of it, reads what was found then. So no provider can say anything
/// about a token that is not in it.
public struct AttestationToken: Sendable, CustomStringConvertible {
    /// The token taken apart.
    package let content: MAAToken
    /// Who issued it.
    public let authority: Endpoint

    /// The compact JWS, exactly as the authority issued it.
    public var compact: String { content.compact }
    /// When it stops being valid, in seconds since 1970 (claim `exp`); long ago where it does not say.
    public var expiresAt: Int64 { content.expiry ?? .min }

    /// A token that `authority` issued and that was verified. Fails with `upstreamInvalid` where `compact` is no signed message with claims
    /// (RFC 7515, 3.1) of at most 64 KiB.
    public init(compact: String, authority: Endpoint) throws(BrokerError) {
        do { self.init(try MAAToken(compact: compact), authority: authority) } catch {
            throw BrokerError(.upstreamInvalid, at: .verify, "the token of \(authority) cannot be read: \(error)", cause: error)
        }
    }

    package init(_ content: MAAToken, authority: Endpoint) {
        self.content = content
        self.authority = authority
    }

    /// Never the token itself, which is a bearer statement for as long as it is valid.
    public var description: String { "attestation token of \(authority), expires \(expiresAt)" }
}
