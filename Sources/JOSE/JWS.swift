package import OpenSSLCrypto
package import StrictJSON

/// A JSON Web Signature in its compact form (RFC 7515, 3.1), taken apart but not yet believed.
///
/// Nothing in the message chooses how it is checked: the caller brings the key and pins the algorithm. `jku`, `jwk` and `x5u` are never
/// followed.
package struct JWS: Sendable {
    /// Most certificates in `x5c`.
    package static let maximumCertificates = 10

    private let protectedHeader: JWSHeader
    /// The protected header.
    package var header: JSONObject { protectedHeader.members }
    /// `alg` as it was written; may be anything.
    package var algorithm: String { protectedHeader.algorithm }
    /// `kid`, an opaque string.
    package var keyID: String? { protectedHeader.keyID }
    package let payloadBytes: [UInt8]
    /// Empty in an unsecured message, which can be parsed but never verifies.
    package let signature: [UInt8]
    /// The bytes that are signed: the first two parts as they were written, with the dot between them.
    package let signingInput: [UInt8]

    /// Takes a message apart. Throws for more than `maximumBytes`, anything but three parts in canonical base64url without padding, a
    /// header that is not one strict JSON object with a string `alg`, and for the extensions `crit` and `b64`, which would change what is
    /// signed.
    package init(compact: String, maximumBytes: Int) throws(JOSEError) {
        guard compact.utf8.count <= maximumBytes else { throw JOSEError("the signed message is longer than \(maximumBytes) bytes") }
        let text = Array(compact.utf8)
        let dots = text.indices.filter { text[$0] == UInt8(ascii: ".") }
        guard dots.count == 2 else { throw JOSEError("the signed message does not have three parts") }
        protectedHeader = try JWSHeader(text[..<dots[0]])
        payloadBytes = try JWSHeader.decoded(text[(dots[0] + 1)..<dots[1]], "payload")
        signature = try JWSHeader.decoded(text[(dots[1] + 1)...], "signature")
        signingInput = Array(text[..<dots[1]])
    }

    /// The certificates of `x5c` (RFC 7515, 4.1.6), leaf first; none when the header has no such member. They are what the message says
    /// about itself: a chain to a trusted root is the caller's business.
    package var certificateChain: [Certificate] {
        get throws(JOSEError) {
            guard let value = header["x5c"] else { return [] }
            return try CertificateChain.parse(JSONCursor(value, path: "x5c"), maximumCount: Self.maximumCertificates)
        }
    }

    /// Returns when the signature is `key`'s and made with `algorithm`. The header must name that algorithm and no other.
    package func verify(with key: PublicKey, algorithm: JWSAlgorithm) throws(JOSEError) {
        guard self.algorithm.utf8.elementsEqual(algorithm.rawValue.utf8) else {
            throw JOSEError("the message is not signed with \(algorithm.rawValue)")
        }
        guard algorithm.accepts(key.kind) else { throw JOSEError("the signing key cannot be used with \(algorithm.rawValue)") }
        guard !signature.isEmpty, key.verifies(signature, of: signingInput, algorithm: algorithm.signature) else {
            throw JOSEError("the signature does not verify")
        }
    }

    /// The payload as JSON. Verify first.
    package func payload(limits: JSONLimits = JSONLimits()) throws(JOSEError) -> JSONCursor {
        do { return try JSONCursor.parse(payloadBytes, limits: limits) } catch { throw JOSEError("the payload", error) }
    }
}
