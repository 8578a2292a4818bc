internal import OpenSSLCrypto
internal import StrictJSON

/// The protected header of a signed message (RFC 7515, section 4).
struct JWSHeader: Sendable {
    /// Longest header that is parsed, in bytes. Release answers carry their certificate chain in it, about 9 KB.
    static let maximumBytes = 64 * 1024

    let members: JSONObject
    /// `alg` as it was written; may be anything.
    let algorithm: String
    /// `kid`, an opaque string.
    let keyID: String?

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
    }

    static func decoded(_ part: ArraySlice<UInt8>, _ name: String) throws(JOSEError) -> [UInt8] {
        // RFC 7515, 2: without padding. The decoder is strict about the alphabet and the unused bits.
        guard part.last != UInt8(ascii: "="), let bytes = Base64.decodeURL(part) else {
            throw JOSEError("the \(name) is not canonical base64url")
        }
        return bytes
    }
}
