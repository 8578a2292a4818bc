/// A cryptographic operation that did not succeed. It names the operation and the reason, never a secret.
public struct CryptoError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was being done, for example "reading a certificate".
    public let operation: String
    /// Why it failed: OpenSSL's own words, or ours where OpenSSL was not asked.
    public let reason: String

    public init(operation: String, reason: String) {
        self.operation = operation
        self.reason = reason
    }

    public var description: String { "\(operation): \(reason)" }
}
