internal import Glibc
internal import OpenSSLCrypto
package import StrictJSON

/// The protected header of a signed message (RFC 7515, section 4).
package struct JWSHeader: Sendable {
    /// Longest header that is parsed, in bytes. Release answers carry their certificate chain in it, about 9 KB.
    package static let maximumBytes = 64 * 1024

    package let members: JSONObject
    /// `alg` as it was written; may be anything.
    package let algorithm: String
    /// `kid`, an opaque string.
    package let keyID: String?
    /// The base64url text that it was read from.
    let text: [UInt8]

    init(_ text: ArraySlice<UInt8>) throws(JOSEError) {
        guard (text.count * 3) / 4 <= Self.maximumBytes else { throw JOSEError("the header is longer than \(Self.maximumBytes) bytes") }
        let bytes = try Self.decoded(text, "header")
        do { members = try JSONCursor.parse(bytes, limits: JSONLimits(maximumBytes: Self.maximumBytes, maximumDepth: 8)).object() } catch {
            throw JOSEError("the header", error)
        }
        guard case .string(let algorithm) = members["alg"] else { throw JOSEError("the header names no algorithm (alg)") }
        self.algorithm = algorithm
        switch members["kid"] {
        case .none: keyID = nil
        case .string(let text): keyID = text
        case .some: throw JOSEError("the header's kid is not a string")
        }
        for extending in ["crit", "b64"] where members[extending] != nil {
            throw JOSEError("the header uses the extension \(extending), which is not supported")
        }
        self.text = Array(text)
    }

    /// Whether `other` is the text that it was read from.
    func isWritten(_ other: ArraySlice<UInt8>) -> Bool {
        guard other.count == text.count else { return false }
        return text.withUnsafeBytes { own in
            other.withUnsafeBytes { other in
                guard let one = own.baseAddress, let two = other.baseAddress else { return own.isEmpty }
                return memcmp(one, two, own.count) == 0
            }
        }
    }

    static func decoded(_ part: ArraySlice<UInt8>, _ name: String) throws(JOSEError) -> [UInt8] {
        // RFC 7515, 2: without padding. The decoder is strict about the alphabet and the unused bits.
        guard part.last != UInt8(ascii: "="), let bytes = Base64.decodeURL(part) else {
            throw JOSEError("the \(name) is not canonical base64url")
        }
        return bytes
    }
}

extension JWSHeader: Equatable {
    /// Whether both are the same text.
    package static func == (one: JWSHeader, other: JWSHeader) -> Bool { one.text == other.text }
}
