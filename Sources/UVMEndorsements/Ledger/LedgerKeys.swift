internal import OpenSSLCrypto
package import StrictJSON

/// The service keys of a transparency ledger, as it publishes them in a JWK set (RFC 7517).
package struct LedgerKeys: Sendable {
    /// Host name of the ledger, as in the receipts' issuer; `nil` accepts the keys for any.
    package let issuer: String?
    private let keys: [(id: String, key: PublicKey)]

    /// Reads a JWK set. Keys that are not on a supported elliptic curve are left out; a set without any key is refused.
    package init(jwks bytes: [UInt8], issuer: String? = nil) throws(JSONError) {
        let entries = try JSONCursor.parse(bytes, limits: JSONLimits(maximumBytes: 1 << 18, maximumDepth: 8)).array("keys")
        var keys: [(id: String, key: PublicKey)] = []
        for entry in entries {
            guard try entry.string("kty") == "EC", let curve = EllipticCurve(rawValue: try entry.string("crv")) else { continue }
            let id = try entry.string("kid")
            let (x, y) = (try Self.coordinate("x", of: entry), try Self.coordinate("y", of: entry))
            do { keys.append((id, try PublicKey(ec: curve, x: x, y: y))) } catch { throw entry.invalid("not a point on the curve") }
        }
        guard !keys.isEmpty else { throw JSONError(.invalidValue, path: "keys", "no key on a supported curve") }
        self.keys = keys
        self.issuer = issuer
    }

    /// The keys of that identifier; usually one.
    func keys(withID id: String) -> [PublicKey] { keys.filter { $0.id.utf8.elementsEqual(id.utf8) }.map(\.key) }

    private static func coordinate(_ name: String, of entry: JSONCursor) throws(JSONError) -> [UInt8] {
        guard let bytes = Base64.decodeURL(try entry.string(name)) else { throw try entry.member(name).invalid("not base64url") }
        return bytes
    }
}
