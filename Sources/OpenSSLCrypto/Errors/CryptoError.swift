/// A cryptographic operation that did not succeed. It names the operation and the reason, never a secret.
package struct CryptoError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was being done, for example "reading a certificate".
    package let operation: String
    /// Why it failed: OpenSSL's own words, or ours where OpenSSL was not asked.
    package let reason: String

    package init(operation: String, reason: String) {
        self.operation = operation
        self.reason = reason
    }

    package var description: String { "\(operation): \(reason)" }
}
