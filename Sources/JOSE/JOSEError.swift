internal import OpenSSLCrypto
internal import StrictJSON

/// Why a signed message or a published key is not believed. Names what is wrong, never what was found.
public struct JOSEError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A clause: "the signature does not verify".
    public let reason: String

    public init(_ reason: String) {
        self.reason = reason
    }

    init(_ part: String, _ error: JSONError) {
        self.init("\(part): \(error.description)")
    }

    init(_ part: String, _ error: CryptoError) {
        self.init("\(part): \(error.reason)")
    }

    public var description: String { reason }
}
