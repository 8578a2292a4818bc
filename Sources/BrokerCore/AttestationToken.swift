public import HTTPTransport

/// A verifier's statement about this machine: a signed JWT that was verified before it became a value of this type.
public struct AttestationToken: Sendable, CustomStringConvertible {
    /// The compact JWS, exactly as the authority issued it.
    public let compact: String
    /// Who issued it.
    public let authority: Endpoint
    /// When it stops being valid, in seconds since 1970 (claim `exp`).
    public let expiresAt: Int64

    public init(compact: String, authority: Endpoint, expiresAt: Int64) {
        self.compact = compact
        self.authority = authority
        self.expiresAt = expiresAt
    }

    /// Never the token itself, which is a bearer statement for as long as it is valid.
    public var description: String { "attestation token of \(authority), expires \(expiresAt)" }
}
