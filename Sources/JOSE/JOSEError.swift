internal import OpenSSLCrypto
internal import StrictJSON

/// Why a signed message or a published key is not believed. Names what is wrong, never what was found.
package struct JOSEError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A clause: "the signature does not verify".
    package let reason: String

    package init(_ reason: String) { self.reason = reason }

    init(_ part: String, _ error: JSONError) { self.init("\(part): \(error.description)") }

    init(_ part: String, _ error: CryptoError) { self.init("\(part): \(error.reason)") }

    package var description: String { reason }
}
